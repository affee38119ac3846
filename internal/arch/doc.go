// Package arch owns no code, only tests about the shape of the repository: who may import whom
// (imports_test.go), where a third-party module may appear (fence_test.go), what engines must not
// touch (purity_test.go) and what no file may say (text_test.go). ARCHITECTURE.md explains the
// tables; a change to either is a change to both.
package arch
