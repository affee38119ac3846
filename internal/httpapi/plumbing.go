package httpapi

import (
	"context"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/chaoban/chaoban/web"
)

// checkTime bounds all health checks of one request together.
const checkTime = 2 * time.Second

// readiness is the body of /readyz.
type readiness struct {
	Status string  `json:"status"` // ready, degraded (figures are missing, the rest works) or unavailable
	Checks []Check `json:"checks"`
}

func (s *Server) ready(ctx context.Context) readiness {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	r := readiness{Status: "ready", Checks: []Check{}}
	for _, c := range s.checks(ctx) {
		r.Checks = append(r.Checks, c)
		switch {
		case c.OK:
		case c.Critical:
			r.Status = "unavailable"
		case r.Status == "ready":
			r.Status = "degraded"
		}
	}
	return r
}

// plumbing registers a route outside the API, for everybody.
func (s *Server) plumbing(address string, handle fiber.Handler) {
	s.app.Get(address, func(c *fiber.Ctx) error {
		exchangeOf(c.UserContext()).route = address
		return handle(c)
	})
}

// addPlumbing registers what load balancers and monitors ask. None of it needs a login or tells
// anything about merchants.
func (s *Server) addPlumbing() {
	s.plumbing("/healthz", func(c *fiber.Ctx) error {
		return c.JSON(map[string]string{"status": "alive", "version": s.deps.Version})
	})
	s.plumbing("/readyz", func(c *fiber.Ctx) error {
		r := s.ready(c.UserContext())
		if r.Status == "unavailable" {
			c.Set(fiber.HeaderRetryAfter, "5")
			c.Status(http.StatusServiceUnavailable)
		}
		return c.JSON(r)
	})
	s.plumbing("/metrics", s.metrics.handler())
}

// about is what the start page asks for, without a login.
type about struct {
	Product string `json:"product"`
	Version string `json:"version"`
	Demo    bool   `json:"demo"` // the data is simulated
	Status  string `json:"status"`
}

// addPages serves the start page and the documentation from the binary; they work offline.
func (s *Server) addPages() {
	s.plumbing("/about.json", func(c *fiber.Ctx) error {
		_, demo := s.deps.Ops.DemoLoaded(c.UserContext())
		return c.JSON(about{Product: "Chaoban (潮班)", Version: s.deps.Version, Demo: demo, Status: s.ready(c.UserContext()).Status})
	})
	dist, err := fs.Sub(web.Dist, "dist")
	if err != nil {
		panic(err) // "dist" is a valid path
	}
	s.plumbing("/", embedded(dist, "index.html"))
	s.plumbing("/docs", embedded(dist, "docs.html"))
	s.plumbing("/assets/:name", func(c *fiber.Ctx) error {
		return embedded(dist, "assets/"+path.Base("/"+c.Params("name")))(c)
	})
}

// embedded serves one embedded file, or 404 when there is none of that name.
func embedded(dist fs.FS, name string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		body, err := fs.ReadFile(dist, name)
		if err != nil {
			return fiber.ErrNotFound
		}
		kind := mime.TypeByExtension(path.Ext(name))
		if kind == "" {
			kind = fiber.MIMEOctetStream
		}
		c.Set(fiber.HeaderContentType, kind)
		c.Set(fiber.HeaderCacheControl, "no-cache")
		return c.Send(body)
	}
}
