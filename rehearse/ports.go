package rehearse

import (
	"fmt"
	"math/rand/v2"
	"net"
)

// ports are the copy's, all on loopback.
type ports struct {
	http, status int
	profiles     [2]int
}

// portBlock is how many ports in a row a copy takes. A profile's address follows from its port, modulo the size of half a
// network, where the last one is moved by one: the third and the fourth of eight never meet.
const portBlock = 8

// portTries is how often another block is tried.
const portTries = 200

func checkPorts(r [2]int) error {
	if r[0] < 1024 || r[1] > 65535 || r[1]-r[0] < 2*portBlock-1 {
		return wrong("--ports", fmt.Sprintf("%d-%d", r[0], r[1]), fmt.Sprintf("Two ports between 1024 and 65535, at least %d apart.", 2*portBlock-1))
	}
	return nil
}

// freePorts picks ports that are free. (Somebody may take one, a moment later; the copy then cannot be made.)
func freePorts(r [2]int, free func(port int) bool) (ports, error) {
	first := (r[0] + portBlock - 1) / portBlock
	blocks := (r[1]+1)/portBlock - first
	for range portTries {
		at := (first + rand.IntN(blocks)) * portBlock
		p := ports{profiles: [2]int{at + 2, at + 3}, http: at + 4, status: at + 5}
		if free(p.http) && free(p.status) && free(p.profiles[0]) && free(p.profiles[1]) {
			return p, nil
		}
	}
	return ports{}, wrong("--ports", fmt.Sprintf("found no four free ports in a row in %d-%d", r[0], r[1]), "Give another range.")
}

// free says whether a port can be listened on, on loopback and on all interfaces.
func free(port int) bool {
	for _, host := range []string{"127.0.0.1", ""} {
		l, err := net.Listen("tcp", net.JoinHostPort(host, fmt.Sprint(port)))
		if err != nil || l.Close() != nil {
			return false
		}
	}
	return true
}
