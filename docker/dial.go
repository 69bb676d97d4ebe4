package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/docker/docker/api/types/container"
)

// NoDialerError says that a container has no program with which a connection can be made from inside it.
type NoDialerError struct{ Container string }

func (e *NoDialerError) Error() string {
	return fmt.Sprintf("container %s has neither nc (or busybox) nor bash nor socat, one of which is needed to ask from inside it: use an image that has one, "+
		"as nginx's official images do; or, where this machine reaches the ports on the Docker host's loopback, set x-bluegreen.probe: host", e.Container)
}

// dialTime is far above what an engine takes to start a program, busy as it may be: one that never does is not waited for.
const dialTime = 30 * time.Second

// Dial makes a TCP connection from inside a running container's network to address (HOST:PORT): by a program there, which
// is found each time (it takes no time) and ends with the connection.
//
// As with a net.Dialer, ctx bounds the making of the connection and not what comes after; Close of the connection or of the
// client ends it. With nc and socat a connection that cannot be made is an error of the first Read, with bash already of
// Dial: one that wraps ECONNREFUSED when nothing listens. CloseWrite ends the one direction, where the program can do that.
//
// Nobody waits longer than dialTime for the program to be started.
//
// Errors: *NoDialerError, one that wraps ErrNotFound, *UnreachableError.
func (c *Client) Dial(ctx context.Context, id, address string) (net.Conn, error) {
	host, port, err := splitAddress(address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	made, err := c.api.ContainerExecCreate(ctx, id, container.ExecOptions{
		User: "0", AttachStdin: true, AttachStdout: true, AttachStderr: true,
		Cmd: []string{"sh", "-c", dialScript, "sh", host, port, bashScript},
	})
	if err != nil {
		return nil, c.explain(err, "ask through container %s", id)
	}
	stream, err := c.api.ContainerExecAttach(ctx, made.ID, container.ExecAttachOptions{})
	if err != nil {
		return nil, c.explain(err, "ask through container %s", id)
	}
	t := newTunnel(stream, address)
	t.kill = func(pid string) { c.kill(id, pid) }
	c.tunnels.add(t)
	select {
	case <-t.began:
	case <-ctx.Done():
		t.Close()
		return nil, fmt.Errorf("ask through container %s: %w", id, ctx.Err())
	}
	if err := t.failure(); err != nil {
		t.Close()
		if noProgram(t.said()) && c.absent(ctx, made.ID) {
			return nil, &NoDialerError{Container: id}
		}
		return nil, err
	}
	return t, nil
}

// absent says whether a program could not be started, for it is not there.
func (c *Client) absent(ctx context.Context, exec string) bool {
	state, err := c.api.ContainerExecInspect(ctx, exec)
	return err == nil && !state.Running && (state.ExitCode == notExecutable || state.ExitCode == noCommand)
}

// noProgram says whether words of the engine's, or none at all, fit a program that is not there: a container that is just
// being stopped ends with the same exit code.
func noProgram(words string) bool {
	return !strings.Contains(words, notStarted) || strings.Contains(words, `exec: "sh"`)
}

// What a shell, and the engine, say of a program that is not there (POSIX, Shell Command Language, 2.8.2).
const (
	notExecutable = 126
	noCommand     = 127
)

// hostName is what may stand for a host among a program's arguments: no option begins so.
var hostName = regexp.MustCompile(`^[A-Za-z0-9_:][A-Za-z0-9_.:-]*$`)

func splitAddress(address string) (host, port string, err error) {
	host, port, err = net.SplitHostPort(address)
	if err != nil {
		return "", "", fmt.Errorf("dial %q: %w", address, err)
	}
	if n, e := strconv.Atoi(port); e != nil || n < 1 || n > 65535 || !hostName.MatchString(host) {
		return "", "", fmt.Errorf("dial %q: it is not an address like 10.77.0.9:8080", address)
	}
	return host, port, nil
}

// dialScript becomes the first program that is there. Its first line on stderr is its process id inside the container, and
// what it will be. nc comes first: it is one process, and can end one direction.
const dialScript = `
has() { command -v "$1" >/dev/null 2>&1; }
if has nc; then
	echo "$$ nc" >&2
	case $(nc -h 2>&1) in *OpenBSD*) exec nc -N "$1" "$2" ;; esac
	exec nc "$1" "$2"
elif has busybox && busybox nc --help >/dev/null 2>&1; then
	echo "$$ nc" >&2
	exec busybox nc "$1" "$2"
elif has socat; then
	echo "$$ socat" >&2
	case $1 in *:*) exec socat - "TCP:[$1]:$2" ;; esac
	exec socat - "TCP:$1:$2"
elif has bash && has cat; then
	echo "$$ bash" >&2
	exec bash -c "$3" bash "$1" "$2"
fi
exit 127
`

// bashScript ends when either side does: bash cannot end one direction of a connection alone.
const bashScript = `
exec 3<>"/dev/tcp/$1/$2" || exit 1
exec 4<&0
cat <&3 & from=$!
cat <&4 >&3 & to=$!
trap 'kill $from $to 2>/dev/null' EXIT
trap exit TERM
echo connected >&2
wait -n
`

// dialReason reads a program's last words.
func dialReason(said string) error {
	switch lower := strings.ToLower(said); {
	case strings.Contains(lower, "refused"):
		return syscall.ECONNREFUSED
	case strings.Contains(lower, "no route to host"), strings.Contains(lower, "unreachable"):
		return syscall.EHOSTUNREACH
	case strings.Contains(lower, "timed out"):
		return syscall.ETIMEDOUT
	}
	return errors.New(cmp.Or(lastLine(said), "the program that makes the connection ended at once"))
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// kill ends a program of Dial that goes on after its connection was closed. It is too late to tell anybody of an error.
func (c *Client) kill(id, pid string) {
	ctx, cancel := context.WithTimeout(context.Background(), killTime)
	defer cancel()
	_, _ = c.Exec(ctx, id, []string{"sh", "-c", `kill "$1"`, "sh", pid})
}
