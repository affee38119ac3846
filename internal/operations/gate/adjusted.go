package gate

import (
	"context"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// Layers reads the adjustments of a forecast in their order, withdrawn ones included.
func Layers(ctx context.Context, view *store.View, id ids.Forecast) ([]store.Layer, error) {
	layers, err := store.All(func(page store.Page) ([]store.Layer, string, error) {
		return view.Layers(ctx, store.LayerFilter{Forecast: id}, page)
	})
	if layers == nil {
		layers = []store.Layer{}
	}
	return layers, err
}

// On puts adjustments on a forecast that was read with its curve. Errors: those of forecast.Adjust.
func (g Gate) On(f store.Forecast, layers []store.Layer) (forecast.Adjusted, error) {
	figures, _ := ForecastFigures(f)
	return forecast.Adjust(forecast.Base{Curve: f.Curve, Days: figures.Days, Location: g.Zone}, PlainLayers(layers))
}

// PlainLayers are stored adjustments as the forecaster knows them.
func PlainLayers(layers []store.Layer) []forecast.Layer {
	out := make([]forecast.Layer, len(layers))
	for i, l := range layers {
		out[i] = l.Layer
	}
	return out
}

// InForce are the adjustments that are not withdrawn.
func InForce(layers []store.Layer) []ids.Layer {
	var out []ids.Layer
	for _, l := range layers {
		if l.Withdrawn == nil {
			out = append(out, l.ID)
		}
	}
	return out
}
