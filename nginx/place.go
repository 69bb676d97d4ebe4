package nginx

import "context"

// Place is where nginx's files are and its processes run.
type Place interface {
	// Run runs a command beside nginx (an exec, or a one-shot container when nginx is down).
	Run(ctx context.Context, cmd []string) (Result, error)
	// Top lists the processes of the running nginx.
	Top(ctx context.Context) ([]Process, error)
}

// Process is one process of the nginx container.
type Process struct {
	PID   int
	Title string
}

// Result is what a command printed and how it ended.
type Result struct {
	Stdout, Stderr string
	ExitCode       int
}
