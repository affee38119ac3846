package configs

import "github.com/chaoban/chaoban/kpi/chatlog"

const closingFile = "metrics/closing.yaml"

// Closing returns the shipped rule that tells a buyer's closing message (谢谢, 好的) from one that
// wants an answer. Errors: config.pack, closing.invalid.
func Closing() (chatlog.ClosingRule, error) {
	var rule chatlog.ClosingRule
	if err := readPack(closingFile, &rule); err != nil {
		return chatlog.ClosingRule{}, err
	}
	return rule, rule.Validate()
}
