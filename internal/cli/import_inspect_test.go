package cli_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const platformSamples = "../operations/intake/testdata/platform"

// sampleFile is the absolute path of a sample: commands run in a directory of their own.
func sampleFile(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(platformSamples, name))
	require.NoError(t, err)
	return path
}

// From a file nobody knows to imported rows: inspect writes the mapping that import reads.
func TestInspectThenImport(t *testing.T) {
	data := phoneData(t)
	file := write(t, "calls.csv", []byte("Call Id,Agent,Date,Time,Answered (Y/N),Speed of answer in seconds,AvgTalkDuration,Satisfaction rating\n"+
		"C1,B0001,2026-11-02,09:03:11,Y,8,0:03:25,5\nC2,B0001,2026-11-02,09:05:40,N,NA,NA,NA\n"))
	mapping := filepath.Join(t.TempDir(), "calls.yaml")
	said := must(t, data, "import", "inspect", file, "--save", mapping, "--merchant", "halo", "--shop", "halo-jd", "--queue", "halo-jd/after")
	assert.Contains(t, said, "Speed of answer in seconds")
	assert.Contains(t, said, "rows of the kind conversations")
	assert.Contains(t, must(t, data, "import", "conversations", file, "--mapping", mapping), "2 rows imported")

	// Without the queue the mapping has a gap, and the import names it.
	must(t, data, "import", "inspect", file, "--save", mapping)
	refused := chaoban(t, data, "import", "conversations", file, "--mapping", mapping)
	assert.NotZero(t, refused.code)
	assert.Contains(t, refused.errors, "TO-BE-NAMED")
}

// Inspecting needs no data directory, and tells a known platform file.
func TestInspectPlatformFile(t *testing.T) {
	data := filepath.Join(t.TempDir(), "never-made")
	said := must(t, data, "import", "inspect", sampleFile(t, "pdd_sales.xlsx"))
	assert.Contains(t, said, "xls (Excel 97-2003, whatever the name says)")
	assert.Contains(t, said, "客服_销售数据")
	assert.Contains(t, said, "inquiry_buyers")
	assert.NoDirExists(t, data)
	found := mustJSON[struct {
		Platform struct{ Format string } `json:"platform"`
	}](t, data, "import", "inspect", sampleFile(t, "douyin/2026-04-16/feige_performance.xlsx"))
	assert.Equal(t, "douyin.performance", found.Platform.Format)
	refused := chaoban(t, data, "import", "inspect", sampleFile(t, "pdd_sales.xlsx"), "--save", filepath.Join(t.TempDir(), "m.yaml"))
	assert.Contains(t, refused.errors, "needs no mapping")
}

func TestImportPlatformFile(t *testing.T) {
	data := phoneData(t)
	said := must(t, data, "import", "platform", sampleFile(t, "jd_workload.xlsx"), "--shop", "halo-jd", "--merchant", "halo")
	assert.Contains(t, said, "服务工作量: 2026-04-15 to 2026-04-16 (date column), 2 rows, 23 items, 46 figures")
	assert.Contains(t, said, "2 rows of sums and means left out")
	assert.Contains(t, must(t, data, "import", "platform", sampleFile(t, "jd_workload.xlsx"), "--shop", "halo-jd"), "was imported before")

	refused := chaoban(t, data, "import", "platform", sampleFile(t, "tmall_sales.xlsx"), "--shop", "halo-jd")
	assert.NotZero(t, refused.code)
	assert.Contains(t, refused.errors, "sells on jd")

	// What the file does not tell is asked, and the answer is a flag.
	fractions := write(t, "jd.csv", []byte("日期,咨询量,UPV,留言咨询量,30s应答率\n2026-04-15,9,9,9,0.91\n"))
	refused = chaoban(t, data, "import", "platform", fractions, "--shop", "halo-jd")
	assert.Contains(t, refused.errors, "--percent")
	assert.Contains(t, must(t, data, "import", "platform", fractions, "--shop", "halo-jd", "--percent", "30s应答率=fraction"), "4 figures")
}
