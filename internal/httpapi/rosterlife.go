package httpapi

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/revising"
	"github.com/chaoban/chaoban/internal/operations/rostering"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/leave"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
)

// addRosterLife registers what happens to a roster after it was made.
func (s *Server) addRosterLife() {
	const tag = "Rosters"
	huma.Register(s.api, operation(http.MethodGet, "/v1/rosters/{roster}/revisions", "list-roster-revisions", tag, "Changes of a roster, newest first: who, when, why, before and after"), s.revisions)
	huma.Register(s.api, operation(http.MethodGet, "/v1/rosters/{roster}/diff", "diff-rosters", tag, "Another roster or revision against this one: shifts, hours, coverage, cost"), s.diffRosters)
	huma.Register(s.api, operation(http.MethodPatch, "/v1/rosters/{roster}/shifts", "edit-roster", tag, "Edit shifts by hand; with dry=1 only say what the edits would do",
		describe("Hard rules are never broken; the answer or the problem names each rule and what would make it legal. Soft ones may be overruled. "+
			"Hours that have passed change only with past (422 roster.past). A draft changes in place. A published roster changes at once with publish, and otherwise a draft is made of it.")), s.editRoster)
	huma.Register(s.api, operation(http.MethodPost, "/v1/rosters/{roster}/repair", "repair-roster", tag, "Fill the gaps of absences with the least change that pays; with dry=1 only propose",
		long, repeatable), s.repairRoster)
	huma.Register(s.api, operation(http.MethodGet, "/v1/rosters/{roster}/acknowledgements", "list-acknowledgements", tag, "Who has seen a roster, and who is to be reminded"), s.acknowledgements)
	huma.Register(s.api, operation(http.MethodPost, "/v1/rosters/{roster}/acknowledgements", "acknowledge-roster", tag, "Say that a published roster was seen; an agent for itself",
		status(http.StatusCreated)), s.acknowledge)
	huma.Register(s.api, operation(http.MethodGet, "/v1/shifts/calendar", "get-calendar", tag, "One agent's published shifts as iCalendar; an agent its own", calendarFile), s.calendar)
	huma.Register(s.api, operation(http.MethodGet, "/v1/calendar-feeds", "list-calendar-feeds", tag, "Addresses under which calendars are read, newest first; an agent its own"), s.feeds)
	huma.Register(s.api, operation(http.MethodPost, "/v1/calendar-feeds", "add-calendar-feed", tag, "Give an agent an address for its calendar; the secret is shown once",
		status(http.StatusCreated)), s.addFeed)
	huma.Register(s.api, operation(http.MethodDelete, "/v1/calendar-feeds/{feed}", "revoke-calendar-feed", tag, "End an address of a calendar", status(http.StatusNoContent)), s.revokeFeed)
	s.plumbing(rostering.FeedPath+":secret", s.feedCalendar)
}

func (s *Server) revisions(ctx context.Context, in *struct {
	RosterPath
	Paging
},
) (*list[operations.Revision], error) {
	items, next, err := s.deps.Ops.Rostering.Revisions(ctx, whoOf(ctx), ids.Roster(in.Roster), in.page())
	return paged(ctx, items, next, err)
}

type diffRostersInput struct {
	RosterPath
	Revision int    `query:"revision" minimum:"0" doc:"of the roster in the path; 0 or missing: the newest"`
	Other    string `query:"other" required:"true" maxLength:"80" doc:"ID or ID@revision; every change is from the path to this one"`
}

func (s *Server) diffRosters(ctx context.Context, in *diffRostersInput) (*one[rostering.RosterDiff], error) {
	other, err := rostering.ParseRef(in.Other)
	if err != nil {
		return nil, err
	}
	d, err := s.deps.Ops.Rostering.DiffRosters(ctx, whoOf(ctx), rostering.Ref{Roster: ids.Roster(in.Roster), Revision: in.Revision}, other)
	if err != nil {
		return nil, err
	}
	return &one[rostering.RosterDiff]{Body: d}, nil
}

// shiftEdit is one edit by hand.
type shiftEdit struct {
	Kind     string            `json:"kind" enum:"add,remove,move,resize,assign,swap,move_pause,put"`
	Agent    string            `json:"agent,omitempty" maxLength:"64" doc:"whose shift"`
	Start    time.Time         `json:"start,omitempty" doc:"of that shift; with agent it names it"`
	To       string            `json:"to,omitempty" maxLength:"64" doc:"who takes it, or the partner of a swap"`
	ToStart  time.Time         `json:"to_start,omitempty" doc:"of the partner's shift"`
	NewStart time.Time         `json:"new_start,omitempty" doc:"of the shift, or of the pause"`
	NewEnd   time.Time         `json:"new_end,omitempty"`
	Pause    time.Time         `json:"pause,omitempty" doc:"start of the break or meal to move"`
	Shift    *scheduling.Shift `json:"shift,omitempty" doc:"for add and put"`
}

func (e shiftEdit) edit() revise.Edit {
	return revise.Edit{
		Kind: revise.Kind(e.Kind), Agent: ids.Agent(e.Agent), Start: e.Start, To: ids.Agent(e.To), ToStart: e.ToStart,
		NewStart: e.NewStart, NewEnd: e.NewEnd, Pause: e.Pause, Shift: e.Shift,
	}
}

type editRosterInput struct {
	RosterPath
	Precondition
	Dry  bool `query:"dry" doc:"only say what the edits would do"`
	Body struct {
		Edits    []shiftEdit `json:"edits" minItems:"1" maxItems:"500"`
		Reason   string      `json:"reason,omitempty" maxLength:"2000" doc:"needed unless dry; kept in the trail"`
		Overrule bool        `json:"overrule,omitempty" doc:"soft rules may break"`
		Past     bool        `json:"past,omitempty" doc:"hours that have passed may change, as a correction"`
		Publish  bool        `json:"publish,omitempty" doc:"a published roster changes at once"`
	}
}

// edited is the answer to edits: the verdict, and the revision unless they were only tried.
type edited struct {
	Verdict  revising.Verdict     `json:"verdict"`
	Roster   *operations.Roster   `json:"roster,omitempty" doc:"without its shifts; another one when a draft was made of a published roster"`
	Revision *operations.Revision `json:"revision,omitempty"`
	Absent   []revise.Absence     `json:"absent,omitempty" doc:"who is not called in any more for that time, because its shift was taken away"`
}

func (s *Server) editRoster(ctx context.Context, in *editRosterInput) (*entity[edited], error) {
	expect, err := in.expect()
	if err != nil {
		return nil, err
	}
	edits := make([]revise.Edit, len(in.Body.Edits))
	for i, e := range in.Body.Edits {
		edits[i] = e.edit()
	}
	if in.Dry {
		v, err := s.deps.Ops.Rostering.JudgeEdit(ctx, whoOf(ctx), ids.Roster(in.Roster), edits)
		return &entity[edited]{Body: edited{Verdict: v}}, err
	}
	done, err := s.deps.Ops.Rostering.EditRoster(ctx, whoOf(ctx), rostering.EditInput{
		Roster: ids.Roster(in.Roster), Expect: expect, Edits: edits, Reason: in.Body.Reason, Overrule: in.Body.Overrule, Past: in.Body.Past, Publish: in.Body.Publish,
	})
	if err != nil {
		return nil, in.failed(err)
	}
	return &entity[edited]{ETag: done.Roster.ETag(), Body: edited{Verdict: done.Verdict, Roster: &done.Roster, Revision: &done.Revision, Absent: done.Absent}}, nil
}

type repairInput struct {
	RosterPath
	Precondition
	Dry  bool `query:"dry" doc:"only propose"`
	Body struct {
		Absent []struct {
			Agent string    `json:"agent" minLength:"1" maxLength:"64"`
			From  time.Time `json:"from"`
			To    time.Time `json:"to" doc:"first instant at which the agent is back"`
		} `json:"absent" minItems:"1" maxItems:"500"`
		Reason  string `json:"reason,omitempty" maxLength:"2000"`
		Past    bool   `json:"past,omitempty" doc:"repair hours that have passed too, to enter what was done; needs a reason"`
		Publish bool   `json:"publish,omitempty" doc:"a published roster changes at once; otherwise a draft is made of it"`
		Leave   string `json:"record_leave,omitempty" maxLength:"40" doc:"kind of leave, such as sick, as which the absences are entered in the same change; needs publish"`
	}
}

func (s *Server) repairRoster(ctx context.Context, in *repairInput) (*one[rostering.RepairMade], error) {
	expect, err := in.expect()
	if err != nil {
		return nil, err
	}
	ask := rostering.RepairInput{Roster: ids.Roster(in.Roster), Expect: expect, Dry: in.Dry, Past: in.Body.Past, Publish: in.Body.Publish, Reason: in.Body.Reason, RecordLeave: leave.LeaveKind(in.Body.Leave)}
	for _, a := range in.Body.Absent {
		ask.Absences = append(ask.Absences, revise.Absence{Agent: ids.Agent(a.Agent), Range: calendar.Range{Start: a.From, End: a.To}})
	}
	made, err := s.deps.Ops.Rostering.RepairRoster(ctx, whoOf(ctx), ask)
	if err != nil {
		return nil, in.failed(err)
	}
	return &one[rostering.RepairMade]{Body: made}, nil
}

func (s *Server) acknowledgements(ctx context.Context, in *struct {
	RosterPath
	Pending bool `query:"pending" doc:"only who has not seen it as it is"`
},
) (*one[page[rostering.AgentSeen]], error) {
	all, err := s.deps.Ops.Rostering.Acknowledgements(ctx, whoOf(ctx), ids.Roster(in.Roster), in.Pending)
	if err != nil {
		return nil, err
	}
	return &one[page[rostering.AgentSeen]]{Body: page[rostering.AgentSeen]{Items: all}}, nil
}

type acknowledgeInput struct {
	RosterPath
	Body *struct { // without one an agent has seen the newest revision
		Agent    string `json:"agent,omitempty" maxLength:"64" doc:"an agent leaves it out"`
		Revision int    `json:"revision,omitempty" minimum:"0" doc:"that was seen; 0 or missing: the newest"`
		Note     string `json:"note,omitempty" maxLength:"2000"`
	}
}

func (s *Server) acknowledge(ctx context.Context, in *acknowledgeInput) (*one[operations.Acknowledgement], error) {
	seen := rostering.AcknowledgeInput{Roster: ids.Roster(in.Roster)}
	if b := in.Body; b != nil {
		seen.Revision, seen.Agent, seen.Note = b.Revision, ids.Agent(b.Agent), b.Note
	}
	made, err := s.deps.Ops.Rostering.Acknowledge(ctx, whoOf(ctx), seen)
	if err != nil {
		return nil, err
	}
	return &one[operations.Acknowledgement]{Body: made}, nil
}

const calendarType = "text/calendar; charset=utf-8"

// calendarFile describes an answer that is a calendar.
func calendarFile(op *huma.Operation) { textAnswer(op, calendarType, "A calendar (RFC 5545)") }

func (s *Server) calendar(ctx context.Context, in *struct {
	Agent string `query:"agent" maxLength:"64" doc:"an agent leaves it out"`
},
) (*file, error) {
	body, err := s.deps.Ops.Rostering.Calendar(ctx, whoOf(ctx), ids.Agent(in.Agent))
	answer, err := attachment("shifts.ics", body, err)
	if err == nil {
		answer.ContentType = calendarType
	}
	return answer, err
}

func (s *Server) feeds(ctx context.Context, in *struct {
	Paging
	Agent string `query:"agent" maxLength:"64"`
},
) (*list[operations.CalendarFeed], error) {
	items, next, err := s.deps.Ops.Rostering.CalendarFeeds(ctx, whoOf(ctx), ids.Agent(in.Agent), in.page())
	return paged(ctx, items, next, err)
}

// newFeed is a feed with what is told once.
type newFeed struct {
	operations.CalendarFeed
	Address string `json:"address" doc:"for a calendar program; whoever knows it reads the shifts"`
}

func (s *Server) addFeed(ctx context.Context, in *struct {
	Body struct {
		Agent string `json:"agent,omitempty" maxLength:"64" doc:"an agent leaves it out"`
	}
},
) (*one[newFeed], error) {
	made, err := s.deps.Ops.Rostering.AddCalendarFeed(ctx, whoOf(ctx), ids.Agent(in.Body.Agent))
	if err != nil {
		return nil, err
	}
	return &one[newFeed]{Body: newFeed{CalendarFeed: made.CalendarFeed, Address: exchangeOf(ctx).origin + made.Path}}, nil
}

func (s *Server) revokeFeed(ctx context.Context, in *struct {
	Feed string `path:"feed" maxLength:"64"`
},
) (*struct{}, error) {
	return nil, s.deps.Ops.Rostering.RevokeCalendarFeed(ctx, whoOf(ctx), ids.Feed(in.Feed))
}

// feedCalendar answers a calendar program, which cannot log in: the address is the secret.
func (s *Server) feedCalendar(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(c.UserContext(), s.cfg.Deadline)
	defer cancel()
	secret, isCalendar := strings.CutSuffix(c.Params("secret"), ".ics")
	if !isCalendar {
		return fiber.ErrNotFound
	}
	body, err := s.deps.Ops.Rostering.FeedCalendar(ctx, secret)
	if err != nil {
		if fault.KindOf(err) == fault.NotFound {
			return fiber.ErrNotFound
		}
		return err
	}
	c.Set(fiber.HeaderContentType, calendarType)
	c.Set(fiber.HeaderCacheControl, "private, no-cache")
	return c.Send(body)
}
