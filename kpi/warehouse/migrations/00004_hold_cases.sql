-- +goose NO TRANSACTION
-- +goose Up

-- The case (案件) that a hold is for: a merchant may have several, and each is released on its own. Rows of
-- before have '', one case of its own, so what they say stays the same.
ALTER TABLE holds ADD COLUMN IF NOT EXISTS reference String AFTER merchant;
