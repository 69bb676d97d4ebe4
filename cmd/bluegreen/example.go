package main

import (
	"os"

	"github.com/spf13/cobra"

	hello "bluegreen/examples/hello/app"
)

// exampleCommand is the example app inside the binary, for images that are made of it where there is no other.
func (a *app) exampleCommand() *cobra.Command {
	return &cobra.Command{
		Use: "example", Hidden: true, Args: cobra.NoArgs,
		Short: "Be the example app that a swap is tried with; the environment configures it",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return hello.Run(cmd.Context(), os.Getenv)
		},
	}
}
