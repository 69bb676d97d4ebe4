package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// variableOf is the environment variable of a flag.
func variableOf(flag string) string {
	return "BLUEGREEN_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// onlyTyped are flags that the environment does not set: BLUEGREEN_VERSION may well say which one a job is to fetch.
var onlyTyped = []string{"help", "version"}

// flagsFromEnvironment sets every flag that was not given from BLUEGREEN_<NAME>, where it is set.
func flagsFromEnvironment(flags *pflag.FlagSet) error {
	var errs []error
	flags.VisitAll(func(f *pflag.Flag) {
		name := variableOf(f.Name)
		value, ok := os.LookupEnv(name)
		if f.Changed || !ok || value == "" || slices.Contains(onlyTyped, f.Name) {
			return
		}
		_ = flags.SetAnnotation(f.Name, fromEnvironment, nil) // the flag is there
		if err := flags.Set(f.Name, value); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, unfit(f, value, err)))
		} else if why := wrongValue(f); why != "" {
			errs = append(errs, fmt.Errorf("%s %s", name, why))
		}
	})
	return errors.Join(errs...)
}

// parsed is what the parser of the command line says, with a value that a flag cannot take told in a person's words.
func parsed(err error) error {
	invalid, ok := errors.AsType[*pflag.InvalidValueError](err)
	if !ok {
		return err
	}
	f := invalid.GetFlag()
	return fmt.Errorf("--%s: %w", f.Name, unfit(f, invalid.GetValue(), invalid.Unwrap()))
}

// unfit says what a flag takes when it is given something else.
func unfit(f *pflag.Flag, value string, err error) error {
	switch kind := f.Value.Type(); {
	case errors.Is(err, strconv.ErrRange):
		return fmt.Errorf("%q is out of range", value)
	case kind == "duration":
		return fmt.Errorf("%q is no duration: give a number and its unit, such as 90s, 10m or 1h", value)
	case kind == "int":
		return fmt.Errorf("%q is no whole number", value)
	case kind == "bool":
		return fmt.Errorf("%q is neither true nor false", value)
	}
	return err
}

// fromEnvironment marks a flag that was not typed.
const fromEnvironment = "bluegreen.environment"

// typed says whether a flag was given on the command line: one of the environment is there for other commands, too.
func typed(flags *pflag.FlagSet, name string) bool {
	f := flags.Lookup(name)
	if f == nil {
		return false
	}
	_, environment := f.Annotations[fromEnvironment]
	return f.Changed && !environment
}

// empty is said of what was given, and has nothing in it.
const empty = "empty: is a variable not set? Give a value, or leave it out"

// ports are the flags that take one.
var ports = []string{"http", "status-port", "container-port"}

// checkFlags refuses values on the command line that are none for any command.
func checkFlags(flags *pflag.FlagSet) error {
	var errs []error
	flags.Visit(func(f *pflag.Flag) {
		if why := wrongValue(f); why != "" {
			errs = append(errs, fmt.Errorf("--%s %s", f.Name, why))
		}
	})
	return errors.Join(errs...)
}

// wrongValue says why a flag's value can be none, "" when it can.
func wrongValue(f *pflag.Flag) string {
	v := f.Value.String()
	switch kind := f.Value.Type(); {
	case v == "" && kind == "string" || v == "[]" && kind == "stringSlice":
		return "is " + empty
	case slices.Contains(ports, f.Name):
		if n, err := strconv.Atoi(v); err != nil || n < 1 || n > 65535 {
			return v + ": is not between 1 and 65535"
		}
	case strings.HasPrefix(v, "-") && (kind == "int" || kind == "duration"):
		return v + ": must not be negative"
	}
	return ""
}
