package people

// LeastRostered is the least n with P(at least need present) >= level, and that probability.
func LeastRostered(need int, share, corr, level float64) (n int, reached float64, err error) {
	got, err := Absence{Correlation: corr, Level: level}.least(need, share)
	return got.rostered, got.level, err
}
