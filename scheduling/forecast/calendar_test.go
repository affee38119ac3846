package forecast_test

import (
	"encoding/csv"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
)

// chineseHolidays reads the public workday table; it does not separate statutory days from
// bridge days, which the forecast hardly needs.
func chineseHolidays(t testing.TB) calendar.Holidays {
	t.Helper()
	f, err := os.Open(sharedFile(t, "cn_holidays/workday_calendar_2007_2026.csv"))
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	var days []calendar.Holiday
	for _, row := range rows[1:] {
		d, err := calendar.ParseDate(row[0])
		require.NoError(t, err)
		switch {
		case row[3] == "1":
			days = append(days, calendar.Holiday{Date: d, Kind: calendar.Makeup, Name: row[2]})
		case row[1] == "0" && row[2] != "":
			days = append(days, calendar.Holiday{Date: d, Kind: calendar.Statutory, Name: row[2]})
		}
	}
	return calendar.NewHolidays("holiday-cn", days)
}
