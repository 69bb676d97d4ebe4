package rehearse

import (
	"errors"
	"fmt"
	"net"
	"testing"

	"bluegreen/config"
	"bluegreen/docker"
)

func TestFreePortsAreFreeAndInTheRange(t *testing.T) {
	r := [2]int{20000, 20999}
	p, err := freePorts(r, free)
	if err != nil {
		t.Fatal(err)
	}
	for _, port := range []int{p.http, p.status, p.profiles[0], p.profiles[1]} {
		if port < r[0] || port > r[1] || !free(port) {
			t.Errorf("port %d", port)
		}
	}
}

// A profile's address follows from its port; two addresses of one network must differ in networks of every size.
func TestFreePortsGiveTwoAddressesInEveryNetwork(t *testing.T) {
	p, err := freePorts([2]int{20000, 29999}, free)
	if err != nil {
		t.Fatal(err)
	}
	for bits := 16; bits <= 28; bits++ {
		n := docker.Network{Subnet: fmt.Sprintf("10.77.0.0/%d", bits)}
		one, err1 := n.Address(p.profiles[0])
		other, err2 := n.Address(p.profiles[1])
		if err := errors.Join(err1, err2); err != nil || one == other {
			t.Errorf("/%d: %s, %s, %v", bits, one, other, err)
		}
	}
}

func TestNoFreePortIsAClearError(t *testing.T) {
	r := [2]int{28800, 28815}
	for port := r[0]; port <= r[1]; port++ {
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			t.Cleanup(func() { _ = l.Close() })
		}
	}
	_, err := freePorts(r, free)
	var wrong *config.Error
	if !errors.As(err, &wrong) || wrong.Where != "--ports" {
		t.Errorf("error %v", err)
	}
}

func TestPortRangesThatMakeNoSense(t *testing.T) {
	for _, r := range [][2]int{{80, 90}, {0, 0}, {20000, 20010}, {30000, 20000}, {60000, 70000}} {
		if checkPorts(r) == nil {
			t.Errorf("%v was accepted", r)
		}
	}
	if err := checkPorts(DefaultPorts); err != nil {
		t.Error(err)
	}
}
