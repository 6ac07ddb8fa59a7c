package dev.meridian.builder;

import dev.meridian.builder.graph.WeightMatrix;
import dev.meridian.builder.graph.WeightMatrix.Arrangement;
import dev.meridian.engine.bundle.Panels;

/** Where the panels of a packed matrix lie in the data file. */
final class PanelPlaces {
    private PanelPlaces() {}

    /** The panel that begins with a row: of parts that alternate, a row of that part's own panels. */
    static long offset(WeightMatrix matrix, int row) {
        long panel;
        if (matrix.arrangement() == Arrangement.ALTERNATING) {
            int parts = matrix.parts().size();
            int rows = matrix.rows() / parts;
            panel = (long) (row % rows / Panels.ROWS) * parts + row / rows;
        } else {
            panel = row / Panels.ROWS;
        }
        return matrix.data().offset()
                + panel * Panels.panelBytes(matrix.columns(), matrix.encoding().bits());
    }
}
