package docker

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// listeningProcess names the process of this machine that listens on a tcp port ("process 123 (java)"), or "" when
// none can be seen: other users' sockets show only to root.
func listeningProcess(proc string, port int) string {
	for _, table := range []string{"net/tcp", "net/tcp6"} {
		inode := listeningInode(filepath.Join(proc, table), port)
		if inode == "" {
			continue
		}
		if pid := socketOwner(proc, inode); pid != "" {
			name, _ := os.ReadFile(filepath.Join(proc, pid, "comm"))
			return fmt.Sprintf("process %s (%s)", pid, strings.TrimSpace(string(name)))
		}
	}
	return ""
}

// listeningInode finds the inode of the socket that listens on port. The columns of a table's line:
//
//	sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode
func listeningInode(table string, port int) string {
	const listening = "0A"
	f, err := os.Open(table)
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		columns := strings.Fields(lines.Text())
		if len(columns) < 10 || columns[3] != listening {
			continue
		}
		_, hex, _ := strings.Cut(columns[1], ":")
		if n, err := strconv.ParseUint(hex, 16, 16); err == nil && int(n) == port {
			return columns[9]
		}
	}
	return ""
}

func socketOwner(proc, inode string) (pid string) {
	files, _ := filepath.Glob(filepath.Join(proc, "[0-9]*", "fd", "*"))
	for _, file := range files {
		if to, err := os.Readlink(file); err == nil && to == "socket:["+inode+"]" {
			return filepath.Base(filepath.Dir(filepath.Dir(file)))
		}
	}
	return ""
}
