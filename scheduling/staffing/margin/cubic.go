package margin

// monotoneCubic fills out with the interpolation of Fritsch & Carlson (SIAM J. Numer. Anal. 17 (1980))
// in the harmonic form of Fritsch & Butland (1984): no new hills between the nodes.
func monotoneCubic(xs, ys []float64, out []float32) {
	n := len(xs)
	slope, chord := make([]float64, n), make([]float64, n-1)
	for i := range chord {
		chord[i] = (ys[i+1] - ys[i]) / (xs[i+1] - xs[i])
	}
	slope[0], slope[n-1] = chord[0], chord[n-2]
	for i := 1; i < n-1; i++ {
		if chord[i-1]*chord[i] > 0 {
			a, b := xs[i]-xs[i-1], xs[i+1]-xs[i]
			w := (a + 2*b) / (3 * (a + b))
			slope[i] = chord[i-1] * chord[i] / (w*chord[i] + (1-w)*chord[i-1])
		}
	}
	j := 0
	for i := range out {
		x := float64(i) * fullest / cells
		if x >= xs[n-1] {
			out[i] = float32(ys[n-1])
			continue
		}
		for j < n-2 && x > xs[j+1] {
			j++
		}
		h := xs[j+1] - xs[j]
		u := (x - xs[j]) / h
		out[i] = float32((1+2*u)*(1-u)*(1-u)*ys[j] + u*(1-u)*(1-u)*h*slope[j] +
			u*u*(3-2*u)*ys[j+1] + u*u*(u-1)*h*slope[j+1])
	}
}
