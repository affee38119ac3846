// Package staffing turns a demand curve and a target into heads.
//
// It owns the queueing models: Erlang B, C and A for calls (erlang.go), a birth-death model
// for chats with a concurrency limit (chat.go), the least number of agents for a goal, and the
// plan of a whole curve (plan.go). DESIGN.md derives every formula.
//
// It does not own the forecast, the roster, or the contract: targets and penalties come in as
// plain values. The simulator in staffing/simulate is the oracle of the models; this package
// never imports it.
//
// Times: an instant names the start of a half-open slot; handle time, patience and limits are
// durations; results that can be infinite are float64 seconds and say so in their name.
package staffing
