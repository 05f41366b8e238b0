//go:build tools

// Package engine pins the Pulumi command line, so that `go build` makes the same one everywhere.
package engine

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
