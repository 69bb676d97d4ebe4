package swap

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"bluegreen/docker"
)

// Labels that say who holds a lock.
const (
	LabelLockWho     = "bluegreen.lock.who"
	LabelLockWhere   = "bluegreen.lock.where"
	LabelLockCommand = "bluegreen.lock.command"
	LabelLockSince   = "bluegreen.lock.since"
	LabelLockPID     = "bluegreen.lock.pid"
	LabelLockBoot    = "bluegreen.lock.boot-id"
	LabelLockPIDNS   = "bluegreen.lock.pid-namespace"
	LabelLockStart   = "bluegreen.lock.process-start"
)

func (j *job) lockLabels() map[string]string {
	boot, ns, start := processIdentity(os.Getpid())
	return j.labels(RoleLock, map[string]string{
		LabelService: j.service(), LabelLockWho: j.Actor.Who, LabelLockWhere: j.Actor.Where, LabelLockCommand: j.Actor.Command,
		LabelLockSince: time.Now().UTC().Format(time.RFC3339), LabelLockPID: strconv.Itoa(os.Getpid()),
		LabelLockBoot: boot, LabelLockPIDNS: ns, LabelLockStart: start,
	})
}

// processIdentity is what tells one process from every other that ever had its pid: the machine's boot,
// the pid namespace and the start time in clock ticks (field 22 of /proc/PID/stat, proc(5)). Empty
// where there is no /proc, and the start of a process that has ended and whose parent does not ask for it.
func processIdentity(pid int) (boot, namespace, start string) {
	b, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	namespace, _ = os.Readlink("/proc/self/ns/pid")
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	// The second field is the command in parentheses and may hold anything: count from its end.
	if i := strings.LastIndexByte(string(stat), ')'); i >= 0 {
		if f := strings.Fields(string(stat[i+1:])); len(f) > 19 && f[0] != "Z" && f[0] != "X" {
			start = f[19]
		}
	}
	return strings.TrimSpace(string(b)), namespace, start
}

// holderGone says whether the process that took a lock is provably gone: it ran on this boot and in this
// pid namespace, and its pid is free or has another start time.
func holderGone(l map[string]string) bool {
	pid, err := strconv.Atoi(l[LabelLockPID])
	if err != nil || l[LabelLockBoot] == "" || l[LabelLockStart] == "" {
		return false
	}
	boot, ns, start := processIdentity(pid)
	return boot == l[LabelLockBoot] && ns == l[LabelLockPIDNS] && ns != "" && start != l[LabelLockStart]
}

// goneWhy says why a lock's holder counts as gone: its process is provably no more, or it has not renewed the lock for
// too long, wherever it ran. "" when it may live.
func (j *job) goneWhy(ctx context.Context, lock docker.Container) string {
	if j.w.HolderGone(lock.Labels) {
		return "its process is gone"
	}
	lease, err := j.w.LockLease(ctx, lock)
	if err != nil || lease.Age < leaseExpires {
		return ""
	}
	return fmt.Sprintf("it was not renewed for %v", lease.Age.Round(time.Second))
}
