// Package web owns the console that the binary serves: the built files under dist. It holds no
// logic; internal/httpapi serves the files and the pages talk to the API like any other client.
package web

import "embed"

// Dist is the built console, under "dist". It needs nothing from the network.
//
//go:embed dist
var Dist embed.FS
