package docker

import (
	"context"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
)

// selfTime bounds the question whether this process is in a container of the engine.
const selfTime = 5 * time.Second

// SharesLoopback says whether the ports that the engine publishes on its host's loopback are on this process's loopback: the
// engine is on this machine, and this process is in none of its containers, or in one with the host's network. It is asked
// once; an engine that does not answer is taken at its address's word.
func (c *Client) SharesLoopback() bool {
	c.shares.Do(func() {
		name, _ := os.Hostname()
		c.sharing = c.Local() && !c.boxed(containerIDs(name, "/proc/self/mountinfo"))
	})
	return c.sharing
}

// boxed says whether one of these ids is a container of the engine with a network of its own.
func (c *Client) boxed(ids []string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), selfTime)
	defer cancel()
	for _, id := range ids {
		for range 3 { // a container may have the network of another one
			self, err := c.api.ContainerInspect(ctx, id)
			if err != nil || !strings.HasPrefix(self.ID, id) {
				break // it is of another engine, or no id at all
			}
			mode := self.HostConfig.NetworkMode
			if !mode.IsContainer() {
				if mode.IsHost() {
					return false
				}
				return true
			}
			id = mode.ConnectedContainer()
		}
	}
	return false
}

// containerFile finds the id in the paths of the files that an engine mounts into each container.
var containerFile = regexp.MustCompile(`/containers/([0-9a-f]{64})/(?:hostname|hosts|resolv\.conf) `)

// shortID is what the engine makes of an id for a container's host name.
var shortID = regexp.MustCompile(`^[0-9a-f]{12}$`)

// containerIDs are what may be the id of the container that this process is in.
func containerIDs(hostname, mountinfo string) (ids []string) {
	text, _ := os.ReadFile(mountinfo)
	for _, m := range containerFile.FindAllStringSubmatch(string(text), -1) {
		if !slices.Contains(ids, m[1]) {
			ids = append(ids, m[1])
		}
	}
	if shortID.MatchString(hostname) {
		ids = append(ids, hostname)
	}
	return ids
}
