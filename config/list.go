package config

import (
	"context"
	"errors"
	"strings"
)

// ErrSeveral is wrapped when no service was named and there are several.
var ErrSeveral = errors.New("several services")

// ErrNoService is wrapped when the file has no such service, or none that is blue/green.
var ErrNoService = errors.New("no such service")

// Several is the error of a command that means one service on a host that has these.
func Several(names []string) *Error {
	return &Error{Where: "which service", What: "there are several: " + strings.Join(names, ", "), Do: "Name one.", err: ErrSeveral}
}

// List reads every blue/green service of the compose files, without asking which one is meant: names and settings, and
// what the files say of the host. An error is one of the files' (*Error; ErrNoFile is wrapped where there is none). Of
// Options, only Files, Dir and Host are looked at.
func List(ctx context.Context, o Options) (Host, []*Service, error) {
	o, err := o.absolute()
	if err != nil {
		return Host{}, nil, err
	}
	w, err := readFiles(ctx, o)
	if err != nil {
		return Host{}, nil, err
	}
	for _, s := range w.services {
		s.Host = w.host
	}
	return w.host, w.services, nil
}
