package dev.meridian.builder;

import dev.meridian.builder.graph.WeightMatrix;
import dev.meridian.engine.bundle.Panels;

/** Where the panels of a packed matrix lie in the data file. */
final class PanelPlaces {
    private PanelPlaces() {}

    /** The panel that begins with a row: of parts that alternate, a row of that part's own panels. */
    static long offset(WeightMatrix matrix, int row) {
        int rows = matrix.rowsPaddedTogether();
        int alternating = matrix.rows() / rows;
        long panel = (long) (row % rows / Panels.ROWS) * alternating + row / rows;
        return matrix.data().offset()
                + panel * Panels.panelBytes(matrix.columns(), matrix.encoding().bits());
    }
}
