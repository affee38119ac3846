package intake

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/chaoban/chaoban/kpi/chatlog/platformfile"
)

// doubtPlatform says that a table which is no platform file may be meant to be one: by its columns, when no kind of rows
// fits or when it has nothing but columns of that file, and by its name.
func (out *Inspection) doubtPlatform(near platformfile.Match, fits bool) {
	file := near.Format.Platform + " " + near.Format.Title
	lacks := strings.Join(near.Missing[:min(len(near.Missing), 5)], ", ")
	switch {
	case len(near.Columns) == 0 || len(near.Missing) == 0:
	case !fits:
		out.Doubts = append(out.Doubts, fmt.Sprintf("it may be the platform file %s, but it lacks its columns %s", file, lacks))
	case len(near.Unknown) == 0:
		out.Doubts = append(out.Doubts, fmt.Sprintf("it may be a part of the platform file %s: all its columns are of that file, which has more (%s): then these are daily figures and no %s; export the whole file",
			file, lacks, out.Kind))
	}
	name := strings.ToLower(filepath.Base(out.File))
	for _, f := range platformfile.Formats() {
		if strings.Contains(name, strings.ToLower(f.Title)) {
			out.Doubts = append(out.Doubts, fmt.Sprintf("its name is that of the platform file %s %s, its columns are not: by them it holds what is said here; is it the right file?", f.Platform, f.Title))
			return
		}
	}
}
