package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/client"
)

// ErrNotFound is wrapped by the error for anything the engine does not have.
var ErrNotFound = errors.New("not found")

// UnreachableError says that no engine answered (or it is too old), where, and why.
type UnreachableError struct {
	Host string
	From string // what said that it is there ("--host", "docker context shop"); "": the default
	Err  error
}

// Error names the address that was tried, what went wrong there and what to do about it.
func (e *UnreachableError) Error() string {
	at := e.Host
	if strings.HasPrefix(e.From, "docker context") {
		at += " (" + e.From + ")"
	}
	return fmt.Sprintf("no usable Docker engine at %s: %s (%s)", at, e.reason(), e.remedy())
}

func (e *UnreachableError) Unwrap() error { return e.Err }

// reason is the failure without the advice that the docker libraries wrap around it, which is for other programs.
func (e *UnreachableError) reason() string {
	text := strings.TrimSpace(e.Err.Error())
	if _, said, ok := strings.Cut(text, "stderr="); ok && e.ssh() && strings.TrimSpace(said) != "" {
		return strings.TrimSpace(said) // ssh's own words
	}
	return text
}

func (e *UnreachableError) ssh() bool { return strings.HasPrefix(e.Host, "ssh://") }

// remedy fits the way in which the engine is reached: an address that is wrong is not mended by starting Docker there.
func (e *UnreachableError) remedy() string {
	_, old := errors.AsType[*tooOldError](e.Err)
	switch {
	case old:
		return "upgrade it to Docker Engine 20.10 or later"
	case errors.Is(e.Err, fs.ErrPermission):
		return "add your user to the docker group (sudo usermod -aG docker $USER) and log in again, or use sudo"
	case e.ssh():
		return fmt.Sprintf("`docker -H %s version` must work without a question: check address, key and known_hosts, and that the docker command is there", e.Host)
	case aboutTLS(e.Err):
		return "its certificates do not fit the engine's: check " + certificates
	case strings.HasPrefix(e.From, "docker context"):
		return "start Docker there, or choose another context with --context; `docker context ls` lists them"
	default:
		return "start Docker there, or say with DOCKER_HOST or --host where it runs"
	}
}

// aboutTLS says whether an error is one of certificates: one side does not trust the other, or one of them speaks no TLS.
func aboutTLS(err error) bool {
	text := err.Error()
	for _, sign := range []string{"tls: ", "x509: ", "HTTPS", "TLS-enabled"} {
		if strings.Contains(text, sign) {
			return true
		}
	}
	return false
}

func (c *Client) unreachable(err error) error {
	return &UnreachableError{Host: c.host, From: c.from, Err: err}
}

type tooOldError struct{ version string }

func (e *tooOldError) Error() string {
	return fmt.Sprintf("it speaks API %s, bluegreen needs %s or later", e.version, minimumAPI)
}

// notFoundError keeps the engine's words and answers to ErrNotFound.
type notFoundError struct{ error }

func (e notFoundError) Is(target error) bool { return target == ErrNotFound }
func (e notFoundError) Unwrap() error        { return e.error }

// explain is the one place where the engine's errors get bluegreen's meaning. What was tried is put before it.
func (c *Client) explain(err error, tried string, args ...any) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
	case isLost(err):
		err = c.unreachable(err)
	case errdefs.IsNotFound(err) && !errors.Is(err, ErrNotFound):
		err = notFoundError{err}
	}
	return fmt.Errorf("%s: %w", fmt.Sprintf(tried, args...), err)
}

// isLost says whether the connection to the engine failed, at its beginning or in the middle of an answer.
func isLost(err error) bool {
	_, broken := errors.AsType[*net.OpError](err)
	return broken || client.IsErrConnectionFailed(err) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		strings.Contains(err.Error(), "cannot connect to the Docker daemon")
}

// absentIsFine turns "there is no such thing" into success, for what is to be absent anyway.
func absentIsFine(err error) error {
	if errors.Is(err, ErrNotFound) || errdefs.IsNotFound(err) {
		return nil
	}
	return err
}
