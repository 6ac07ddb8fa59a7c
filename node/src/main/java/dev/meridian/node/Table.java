package dev.meridian.node;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Rows of text under a header, each column as wide as its widest cell. One thread. */
final class Table {
    private static final String GAP = "  ";

    private final List<List<String>> rows = new ArrayList<>();
    private final int columns;
    private final Set<Integer> rightAligned;

    /** The columns in {@code rightAligned}, counted from 0, hold numbers. */
    Table(List<String> header, Integer... rightAligned) {
        this.columns = header.size();
        this.rightAligned = Set.of(rightAligned);
        row(header);
    }

    Table row(List<String> cells) {
        if (cells.size() != columns) {
            throw new IllegalArgumentException(cells.size() + " cells in a table of " + columns + " columns");
        }
        rows.add(List.copyOf(cells));
        return this;
    }

    void print(PrintWriter out) {
        int[] widths = IntStream.range(0, columns).map(this::width).toArray();
        rows.forEach(row -> out.println(line(row, widths)));
    }

    private int width(int column) {
        return rows.stream().mapToInt(row -> row.get(column).length()).max().orElse(0);
    }

    private String line(List<String> row, int[] widths) {
        return IntStream.range(0, columns)
                .mapToObj(column -> cell(row.get(column), widths[column], rightAligned.contains(column)))
                .collect(Collectors.joining(GAP))
                .stripTrailing();
    }

    private static String cell(String text, int width, boolean right) {
        String padding = " ".repeat(width - text.length());
        return right ? padding + text : text + padding;
    }
}
