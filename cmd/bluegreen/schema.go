package main

import (
	"io"

	"github.com/spf13/cobra"

	"bluegreen/config"
)

func (a *app) schemaCommand() *cobra.Command {
	reference := false
	c := &cobra.Command{
		Use: "schema", Short: "Print the JSON schema of x-bluegreen, for editors", GroupID: "main", Args: cobra.NoArgs,
		Long: `Print the JSON schema (draft-07) of the x-bluegreen sections of a compose file, as this version of bluegreen
reads them. Editors complete, explain and check keys by it. The rest of the file is left to compose's own schema.`,
		Example: `  bluegreen schema > x-bluegreen.schema.json
  # and then, as the first line of compose.yaml:
  # yaml-language-server: $schema=x-bluegreen.schema.json`,
		RunE: func(*cobra.Command, []string) error {
			text := string(config.JSONSchema())
			if reference {
				text = config.Reference()
			}
			_, err := io.WriteString(a.stdout, text)
			return err
		},
	}
	c.Flags().BoolVar(&reference, "reference", false, "print the page of every key instead, in Markdown")
	return c
}
