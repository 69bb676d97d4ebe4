package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// source finds where in the compose files a key stands.
type source struct {
	dir   string   // names of files are shown relative to it
	files []string // absolute; none: started without a compose file
}

// error turns a fault into what a person sees.
func (s source) error(f *fault) *Error {
	return &Error{Where: s.where(f.at), What: f.what, Do: f.do, err: f.err}
}

func (s source) where(at []string) string {
	path := join(at)
	switch {
	case isFlag(at):
		return flagPlace(at)
	case len(s.files) == 0:
		return path
	}
	place := s.place(at)
	if path == "" {
		return place
	}
	return place + ": " + path
}

// join writes keys the way error messages do: services.web.ports[0].
func join(at []string) string {
	var b strings.Builder
	for i, key := range at {
		switch _, err := strconv.Atoi(key); {
		case err == nil && i > 0:
			key = "[" + key + "]"
		case i > 0:
			key = "." + key
		}
		b.WriteString(key)
	}
	return b.String()
}

// place is file and line of the key, or of the innermost section around it that is there. Among several
// files the last one counts: compose lets it override the others.
func (s source) place(at []string) string {
	file, line, deepest := s.files[0], 0, 0
	for _, name := range s.files {
		root, err := parse(name)
		if err != nil {
			continue // standard input, say: the place is then the file's name alone
		}
		if l, depth := find(root, at); depth > 0 && depth >= deepest {
			file, line, deepest = name, l, depth
		}
	}
	if line == 0 {
		return s.show(file)
	}
	return fmt.Sprintf("%s:%d", s.show(file), line)
}

// show names a file as the person in dir would.
func (s source) show(file string) string {
	if rel, err := filepath.Rel(s.dir, file); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return file
}

func parse(name string) (*yaml.Node, error) {
	content, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(content, &doc); err != nil || len(doc.Content) == 0 {
		return nil, fmt.Errorf("parse %s: %w", name, err)
	}
	return doc.Content[0], nil
}

// find follows keys as far as they go and returns the line of the last one found, and how many were.
func find(n *yaml.Node, at []string) (line, depth int) {
	for _, key := range at {
		l, next := child(n, key)
		if next == nil {
			break
		}
		line, n, depth = l, next, depth+1
	}
	return line, depth
}

func child(n *yaml.Node, key string) (line int, value *yaml.Node) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch n.Kind {
	case yaml.MappingNode:
		return inMapping(n, key)
	case yaml.SequenceNode:
		return inSequence(n, key)
	}
	return 0, nil
}

func inMapping(n *yaml.Node, key string) (line int, value *yaml.Node) {
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		switch k, v := n.Content[i], n.Content[i+1]; {
		case k.Value == key:
			return k.Line, v
		case k.Value == "<<" && v.Kind == yaml.SequenceNode:
			merged = append(merged, v.Content...)
		case k.Value == "<<":
			merged = append(merged, v)
		}
	}
	for _, m := range merged {
		if line, value = child(m, key); value != nil {
			return line, value
		}
	}
	return 0, nil
}

// inSequence finds an item by number, or as compose writes variables in a list: NAME or NAME=VALUE.
func inSequence(n *yaml.Node, key string) (line int, value *yaml.Node) {
	number, err := strconv.Atoi(key)
	for i, item := range n.Content {
		name, _, _ := strings.Cut(item.Value, "=")
		if err == nil && i == number || item.Value != "" && name == key {
			return item.Line, item
		}
	}
	return 0, nil
}
