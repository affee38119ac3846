package httpapi

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/administration"
)

// sessionCookie holds a person's session secret in a browser.
const sessionCookie = "chaoban_session"

// intentHeader on an unsafe request with the cookie proves that our own page or a program sent
// it: another site cannot set it without a CORS permission, which we never give.
const intentHeader = "X-Chaoban-Request"

// Security schemes of the OpenAPI document.
const (
	schemeBearer = "bearer"
	schemeCookie = "session"
)

// signedIn is the requirement of every operation but login.
var signedIn = []map[string][]string{{schemeBearer: {}}, {schemeCookie: {}}}

// authenticate finds out who asks; what they may do is decided in operations.
func (s *Server) authenticate(ctx huma.Context, next func(huma.Context)) {
	if len(ctx.Operation().Security) == 0 {
		if err := sameSite(ctx); err != nil {
			s.refuse(ctx, err)
			return
		}
		next(ctx)
		return
	}
	x := exchangeOf(ctx.Context())
	secret, byCookie, err := credentials(ctx)
	if err == nil && byCookie && unsafe(ctx.Method()) {
		err = intended(ctx)
	}
	if err == nil {
		x.who, err = s.deps.Ops.Administration.Authenticate(ctx.Context(), secret)
		x.secret = secret
	}
	if need, known := rights[ctx.Operation().OperationID]; known && err == nil {
		_, err = access.DecideAny(x.who, need, otherRights[ctx.Operation().OperationID]...)
	}
	if err != nil {
		s.refuse(ctx, err)
		return
	}
	next(ctx)
}

// refuse ends a request in a middleware.
func (s *Server) refuse(ctx huma.Context, err error) {
	// The answer is written or the connection is gone; neither leaves anything to do.
	_ = huma.WriteErr(s.api, ctx, http.StatusInternalServerError, "", err)
}

// credentials reads a bearer secret or, without one, the session cookie.
func credentials(ctx huma.Context) (secret string, byCookie bool, err error) {
	if header := ctx.Header("Authorization"); header != "" {
		scheme, secret, _ := strings.Cut(header, " ")
		if !strings.EqualFold(scheme, "Bearer") || strings.TrimSpace(secret) == "" {
			return "", false, fault.New(fault.Unauthenticated, "access.unauthenticated", "the Authorization header must be: Bearer and a session or token secret")
		}
		return strings.TrimSpace(secret), false, nil
	}
	if secret := humafiber.Unwrap(ctx).Cookies(sessionCookie); secret != "" {
		return strings.Clone(secret), true, nil
	}
	return "", false, fault.New(fault.Unauthenticated, "access.unauthenticated", "log in first")
}

func unsafe(method string) bool { return method != http.MethodGet && method != http.MethodHead }

// sameSite refuses a request that a browser sends for a page of another site.
func sameSite(ctx huma.Context) error {
	foreign := fault.New(fault.Forbidden, "access.cross_site", "this request comes from a page of another site")
	if origin := ctx.Header("Origin"); origin != "" && unsafe(ctx.Method()) {
		from, err := url.Parse(origin)
		if err != nil || !strings.EqualFold(from.Host, string(humafiber.Unwrap(ctx).Request().Host())) {
			return foreign
		}
	}
	if site := ctx.Header("Sec-Fetch-Site"); unsafe(ctx.Method()) && (site == "cross-site" || site == "same-site") {
		return foreign
	}
	return nil
}

// intended demands that an unsafe request with a cookie shows where it comes from.
func intended(ctx huma.Context) error {
	if err := sameSite(ctx); err != nil {
		return err
	}
	if ctx.Header("Origin") == "" && ctx.Header(intentHeader) == "" {
		return fault.New(fault.Forbidden, "access.cross_site", "a change with the session cookie needs the header Origin or %s", intentHeader)
	}
	return nil
}

// whoOf is the principal that authenticate found.
func whoOf(ctx context.Context) access.Principal { return exchangeOf(ctx).who }

type loginInput struct {
	Body struct {
		Login    string `json:"login" minLength:"1" maxLength:"64" doc:"login name"`
		Password string `json:"password" minLength:"1" maxLength:"1024" format:"password"`
	}
}

// session is a new session; a program keeps the token, a browser has the cookie.
type session struct {
	Token     string          `json:"token" doc:"for Authorization: Bearer; shown once"`
	ExpiresAt time.Time       `json:"expires_at"`
	User      operations.User `json:"user"`
}

type loginOutput struct {
	Cookie       http.Cookie `header:"Set-Cookie"`
	CacheControl string      `header:"Cache-Control"`
	Body         session
}

func (s *Server) login(ctx context.Context, in *loginInput) (*loginOutput, error) {
	x := exchangeOf(ctx)
	done, err := s.deps.Ops.Administration.Login(ctx, administration.Login{Login: in.Body.Login, Password: in.Body.Password, Remote: x.remote})
	if err != nil {
		return nil, err
	}
	return &loginOutput{
		Cookie: cookie(x, done.Secret, done.ExpiresAt), CacheControl: "no-store",
		Body: session{Token: done.Secret, ExpiresAt: done.ExpiresAt, User: done.User},
	}, nil
}

func cookie(x *exchange, secret string, expires time.Time) http.Cookie {
	return http.Cookie{
		Name: sessionCookie, Value: secret, Path: "/", Expires: expires, HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: strings.HasPrefix(x.origin, "https:"),
	}
}

type logoutOutput struct {
	Cookie http.Cookie `header:"Set-Cookie"`
}

func (s *Server) logout(ctx context.Context, _ *struct{}) (*logoutOutput, error) {
	x := exchangeOf(ctx)
	if x.who.Token != "" {
		return nil, fault.New(fault.Invalid, "session.token", "a machine token has no session; an administrator revokes it under /v1/tokens")
	}
	if err := s.deps.Ops.Administration.Logout(ctx, x.secret); err != nil {
		return nil, err
	}
	return &logoutOutput{Cookie: cookie(x, "", time.Unix(1, 0).UTC())}, nil
}

// me is the caller as the server sees it.
type me struct {
	User        string              `json:"user"`
	Name        string              `json:"name"`
	Role        access.Role         `json:"role"`
	Merchant    string              `json:"merchant,omitempty" doc:"the only merchant a client sees"`
	Agent       string              `json:"agent,omitempty" doc:"the only agent an agent sees"`
	Token       string              `json:"token,omitempty" doc:"id of the machine token"`
	Permissions []access.Permission `json:"permissions"`
}

func (s *Server) me(ctx context.Context, _ *struct{}) (*one[me], error) {
	who := whoOf(ctx)
	answer := me{
		User: string(who.User), Name: who.Name, Role: who.Role, Merchant: string(who.Merchant), Agent: string(who.Agent),
		Token: string(who.Token), Permissions: []access.Permission{},
	}
	for _, p := range access.Permissions {
		if who.Can(p) {
			answer.Permissions = append(answer.Permissions, p)
		}
	}
	return &one[me]{Body: answer}, nil
}

func (s *Server) addSession() {
	login := operation(http.MethodPost, "/v1/session", "login", "Session", "Log in with name and password", status(http.StatusCreated))
	login.Security = nil
	huma.Register(s.api, login, s.login)
	huma.Register(s.api, operation(http.MethodDelete, "/v1/session", "logout", "Session", "End this session", status(http.StatusNoContent)), s.logout)
	huma.Register(s.api, operation(http.MethodGet, "/v1/me", "me", "Session", "Who am I and what may I do"), s.me)
}
