package intake

import (
	"errors"
	"fmt"
	"io"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

// Contracts reads merchants and contracts from YAML: one or more documents with the keys
// `merchants` and `contracts`. Unknown keys, bad values and everything the Validate methods
// find are reported together, with file and line. A contract that names a merchant of the same
// file may only cover shops of that merchant; a merchant that is not in the file is the
// caller's to look up.
//
// Errors: intake.contracts; contract.overlap when versions overlap and nothing else is wrong.
func Contracts(name string, r io.Reader) ([]contracts.Merchant, []contracts.Contract, error) {
	documents, err := readYAML(name, "intake.contracts", r)
	if err != nil {
		return nil, nil, err
	}
	type contractFile struct {
		Merchants []contracts.Merchant `yaml:"merchants"`
		Contracts []contracts.Contract `yaml:"contracts"`
	}
	files := make([]contractFile, len(documents))
	shops := map[ids.Merchant]map[ids.Shop]bool{}
	var bad []fault.Field
	for i, d := range documents {
		d.decode(&files[i])
		bad = append(bad, d.bad...)
		for _, m := range files[i].Merchants {
			shops[m.ID] = map[ids.Shop]bool{}
			for _, s := range m.Shops {
				shops[m.ID][s.ID] = true
			}
		}
	}
	// Meaning is checked only once the shape is right: a misspelt key would otherwise be
	// followed by complaints that its value is missing.
	if len(bad) > 0 {
		return nil, nil, fault.Bad("intake.contracts", "contracts", bad)
	}
	code := "intake.contracts"
	var merchants []contracts.Merchant
	var agreed []contracts.Contract
	seen := map[string]bool{}
	for i, d := range documents {
		for j, m := range files[i].Merchants {
			d.check(m.Validate(), fmt.Sprintf("merchants[%d]", j))
			d.once(seen, "merchant "+string(m.ID), fmt.Sprintf("merchants[%d].id", j))
		}
		for j, c := range files[i].Contracts {
			at := fmt.Sprintf("contracts[%d]", j)
			err := c.Validate()
			if err != nil && fault.CodeOf(err) == "contract.overlap" {
				code = "contract.overlap"
			}
			d.check(err, at)
			d.place(foreignShops(c, shops[c.Merchant]), at)
			d.once(seen, "contract "+string(c.ID), at+".id")
		}
		bad = append(bad, d.bad...)
		merchants = append(merchants, files[i].Merchants...)
		agreed = append(agreed, files[i].Contracts...)
	}
	if err := fault.Bad(code, "contracts", bad); err != nil {
		return nil, nil, err
	}
	return merchants, agreed, nil
}

func (d *document) check(err error, prefix string) {
	if e, ok := errors.AsType[*fault.Error](err); ok {
		d.place(e.Fields, prefix)
	}
}

func (d *document) once(seen map[string]bool, what, path string) {
	if seen[what] {
		d.place([]fault.Field{{Path: path, Problem: "the " + what + " is given twice"}}, "")
	}
	seen[what] = true
}

func foreignShops(c contracts.Contract, known map[ids.Shop]bool) []fault.Field {
	if known == nil {
		return nil
	}
	var bad []fault.Field
	for i, v := range c.Versions {
		for j, s := range v.Shops {
			if !known[s] {
				bad = append(bad, fault.Field{
					Path: fmt.Sprintf("versions[%d].shops[%d]", i, j), Value: string(s),
					Problem: fmt.Sprintf("is not a shop of merchant %s", c.Merchant),
				})
			}
		}
	}
	return bad
}
