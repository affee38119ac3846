package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/store"
)

func testChange(t *testing.T, db *store.DB) {
	ctx := t.Context()
	nope := errors.New("no")
	err := db.Change(ctx, system, now, func(tx *store.Tx) error {
		if _, err := tx.PutMerchant(merchant("x"), store.AnyVersion); err != nil {
			return err
		}
		_, err := tx.In(everything).Merchant(ctx, "x")
		require.NoError(t, err, "a change sees its own writes")
		_, err = tx.In(access.Scope{}).Merchant(ctx, "x")
		codeIs(t, err, store.ErrNotFound)
		return nope
	})
	require.ErrorIs(t, err, nope, "the error of the function comes through")
	_, err = db.In(everything).Merchant(ctx, "x")
	codeIs(t, err, store.ErrNotFound)
	_, err = db.VerifyAudit(ctx)
	require.NoError(t, err)

	assert.Equal(t, fault.Unauthenticated, fault.KindOf(db.Change(ctx, access.Principal{}, now, func(*store.Tx) error { return nil })))
	assert.Error(t, db.Change(ctx, system, time.Time{}, func(*store.Tx) error { return nil }))

	err = db.Change(ctx, system, now, func(tx *store.Tx) error {
		_, err := tx.PutContract(contract("c-x", "nobody"), store.AnyVersion)
		codeIs(t, err, store.ErrReference)
		return nil // goes on as if nothing had happened
	})
	assert.Equal(t, "store.unfinished", fault.CodeOf(err))
	late := contract("c-a", "a")
	late.Versions = append(late.Versions, contracts.Version{Number: 2, Dates: calendar.Dates{From: date("2026-06-30")}})
	err = db.Change(ctx, system, now, func(tx *store.Tx) error {
		_, err := tx.PutContract(late, store.AnyVersion)
		assert.Equal(t, "contract.overlap", fault.CodeOf(err))
		return nil
	})
	assert.Equal(t, "store.unfinished", fault.CodeOf(err))

	gone, cancel := context.WithCancel(ctx)
	cancel()
	err = db.Change(gone, system, now, func(*store.Tx) error { return nil })
	assert.Equal(t, fault.Canceled, fault.KindOf(err), fault.InternalText(err))
	require.NoError(t, db.Ping(ctx))
}
