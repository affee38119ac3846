// Package fault owns the one error type of Chaoban.
//
// Domain code returns a *fault.Error with a Kind, a stable Code ("contract.overlap")
// and a message for the user. The wrapped cause is for the log only and never
// reaches a user. Doors (httpapi, cli) map Kind to a status; nothing else does.
package fault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Kind says what class of failure happened; doors map it to an HTTP status or an exit code.
type Kind uint8

// The kinds. Internal is the zero value, so an error nobody classified is never shown.
const (
	Internal Kind = iota
	Invalid
	Unauthenticated
	Forbidden
	NotFound
	Conflict
	TooLarge
	RateLimited
	Unavailable
	Timeout
	Canceled
)

var kindNames = [...]string{
	"internal", "invalid", "unauthenticated", "forbidden", "not_found", "conflict",
	"too_large", "rate_limited", "unavailable", "timeout", "canceled",
}

// String returns the stable lower-case name of the kind.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "internal"
}

// Field is one bad place in an input: a body field by Path, or a file cell by File, Row and Column.
type Field struct {
	Path    string `json:"path,omitempty"`   // "terms[2].target" for structured input
	File    string `json:"file,omitempty"`   // file name as the user gave it
	Row     int    `json:"row,omitempty"`    // 1-based line or sheet row, 0 when it does not apply
	Column  string `json:"column,omitempty"` // header text or sheet column
	Value   string `json:"value,omitempty"`  // the offending value, shortened to 80 characters
	Problem string `json:"problem"`          // what is wrong and what would be right
}

// String renders the place and the problem on one line.
func (f Field) String() string {
	var b strings.Builder
	if f.File != "" {
		b.WriteString(f.File)
		if f.Row > 0 {
			fmt.Fprintf(&b, ":%d", f.Row)
		}
		b.WriteString(": ")
	} else if f.Row > 0 {
		fmt.Fprintf(&b, "row %d: ", f.Row)
	}
	if f.Path != "" {
		b.WriteString(f.Path + ": ")
	}
	if f.Column != "" {
		fmt.Fprintf(&b, "column %q: ", f.Column)
	}
	b.WriteString(f.Problem)
	if f.Value != "" {
		fmt.Fprintf(&b, " (got %q)", Shorten(f.Value))
	}
	return b.String()
}

// Shorten cuts a value to 80 characters so that an error never repeats a whole file.
func Shorten(s string) string {
	const limit = 80
	runes := []rune(s)
	if len(runes) <= limit {
		return s
	}
	return string(runes[:limit-1]) + "…"
}

// Names lists what is allowed in a sentence: "a, b, c".
func Names[T ~string](all []T) string {
	names := make([]string, len(all))
	for i, a := range all {
		names[i] = string(a)
	}
	return strings.Join(names, ", ")
}

// Error is the error type of the project.
type Error struct {
	Kind       Kind
	Code       string        // stable, dotted, lower case: "contract.overlap"
	Message    string        // for the user: where and what
	Fields     []Field       // every bad field at once
	RetryAfter time.Duration // with Unavailable and RateLimited
	cause      error
}

// Error renders message and fields; the cause is left out on purpose.
func (e *Error) Error() string {
	if len(e.Fields) == 0 {
		return e.Message
	}
	parts := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		parts[i] = f.String()
	}
	if e.Message == "" {
		return strings.Join(parts, "; ")
	}
	return e.Message + ": " + strings.Join(parts, "; ")
}

// Unwrap exposes the cause to errors.Is and to the log.
func (e *Error) Unwrap() error { return e.cause }

// Is matches another *Error by code, so a test can compare with a sentinel.
func (e *Error) Is(target error) bool {
	t, ok := errors.AsType[*Error](target)
	return ok && t.Code == e.Code
}

// New makes an error of a kind with a stable code.
func New(kind Kind, code, format string, args ...any) *Error {
	return &Error{Kind: kind, Code: code, Message: fmt.Sprintf(format, args...)}
}

// Wrap makes an error of a kind around a cause that only the log sees.
func Wrap(cause error, kind Kind, code, format string, args ...any) *Error {
	e := New(kind, code, format, args...)
	e.cause = cause
	return e
}

// Bad makes an Invalid error that lists every bad field; it returns nil when there is none,
// so a Validate method can end with `return fault.Bad("contract.invalid", "contract", fields)`.
func Bad(code, message string, fields []Field) error {
	if len(fields) == 0 {
		return nil
	}
	return &Error{Kind: Invalid, Code: code, Message: message, Fields: slices.Clone(fields)}
}

// InternalText is the full chain for the log, never for a user: each message with the cause that
// it hides, also when a foreign error wraps one of ours.
func InternalText(err error) string {
	var parts []string
	for err != nil {
		parts = append(parts, err.Error())
		e, ok := errors.AsType[*Error](err)
		if !ok {
			break
		}
		err = e.cause
	}
	return strings.Join(parts, ": ")
}

// Of returns the *Error in err's chain, nil for nil. The context errors become Timeout and
// Canceled; anything else becomes Internal, wrapped, with a message that shows nothing of it.
func Of(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return Wrap(err, Timeout, "timeout", "this took too long and was stopped")
	case errors.Is(err, context.Canceled):
		return Wrap(err, Canceled, "canceled", "this was canceled before it was done")
	}
	return Wrap(err, Internal, "internal", "something went wrong on our side")
}

// KindOf returns the kind of err, which must not be nil; Internal for a foreign error.
func KindOf(err error) Kind { return Of(err).Kind }

// CodeOf returns the stable code of err, which must not be nil; "internal" for a foreign error.
func CodeOf(err error) string { return Of(err).Code }
