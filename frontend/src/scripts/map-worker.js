// MapLibre's worker as a file of its own, so that the content policy needs no blob.
import "maplibre-gl/dist/maplibre-gl-worker.mjs";
