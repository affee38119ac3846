package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

func (s *Server) addAccounts() {
	const tag = "Workforce"
	huma.Register(s.api, operation(http.MethodGet, "/v1/accounts", "list-accounts", tag, "Who uses which sub-account (子账号) of a platform, by shop, account and beginning"), s.accounts)
	huma.Register(s.api, operation(http.MethodPut, "/v1/accounts", "put-accounts", tag, "Add assignments of sub-accounts or move their ends; those not named stay",
		describe("Platform, shop, account, agent and from name an assignment. What was imported before keeps its people until the same file is imported again."), s.bounded), s.putAccounts)
	huma.Register(s.api, operation(http.MethodDelete, "/v1/accounts/{id}", "delete-account", tag, "Take back an assignment that was wrong", status(http.StatusNoContent)), s.deleteAccount)
}

type accountsInput struct {
	Paging
	Platform string    `query:"platform" maxLength:"64"`
	Shop     string    `query:"shop" maxLength:"64"`
	Account  string    `query:"account" maxLength:"128"`
	Agent    string    `query:"agent" maxLength:"64"`
	At       time.Time `query:"at" doc:"in force at this instant, RFC 3339"`
}

func (s *Server) accounts(ctx context.Context, in *accountsInput) (*list[operations.Account], error) {
	items, next, err := s.deps.Ops.Administration.Accounts(ctx, whoOf(ctx), operations.AccountFilter{
		Platform: in.Platform, Shop: ids.Shop(in.Shop), Account: in.Account, Agent: ids.Agent(in.Agent), At: in.At,
	}, in.page())
	return paged(ctx, items, next, err)
}

type putAccountsInput struct {
	Body struct {
		Accounts []chatlog.Assignment `json:"accounts" minItems:"1" maxItems:"20000"`
	}
}

func (s *Server) putAccounts(ctx context.Context, in *putAccountsInput) (*one[operations.PutResult], error) {
	done, err := s.deps.Ops.Administration.PutAccounts(ctx, whoOf(ctx), in.Body.Accounts)
	if err != nil {
		return nil, err
	}
	return &one[operations.PutResult]{Body: done}, nil
}

type accountPath struct {
	ID string `path:"id" maxLength:"64"`
}

func (s *Server) deleteAccount(ctx context.Context, in *accountPath) (*struct{}, error) {
	return nil, s.deps.Ops.Administration.DeleteAccount(ctx, whoOf(ctx), in.ID)
}
