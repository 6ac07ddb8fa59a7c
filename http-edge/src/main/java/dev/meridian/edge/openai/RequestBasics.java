package dev.meridian.edge.openai;

import dev.meridian.edge.openai.ParsedRequest.ModelBounds;

/** The model's name, which every request carries. */
final class RequestBasics {
    private static final int MAX_SHOWN = 64;

    private RequestBasics() {}

    static String model(Fields fields) {
        return Fields.text(fields.required("model"), fields.path("model"));
    }

    static ModelBounds bounds(String model, ParsedRequest.Models models) {
        ModelBounds bounds = models.find(model);
        if (bounds == null) {
            throw new ApiException(ErrorTable.modelUnknown(shortened(model)));
        }
        return bounds;
    }

    /** A client's own word in an error message, of bounded length. */
    static String shortened(String text) {
        return text.length() <= MAX_SHOWN ? text : text.substring(0, MAX_SHOWN) + "…";
    }
}
