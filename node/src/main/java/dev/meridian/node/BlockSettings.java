package dev.meridian.node;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigOrigin;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueType;
import java.time.Duration;
import java.time.LocalTime;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * One block of a scenario over its defaults. What is wrong with it throws a ConfigException that names file, line and reason.
 *
 * @param path for messages
 * @param said what the file holds of it
 * @param all with the defaults
 */
record BlockSettings(String path, ConfigObject said, Config all) {
    /** Refuses keys that the defaults do not have, null where there is no default. */
    static BlockSettings of(String path, ConfigObject said, ConfigObject defaults) {
        said.forEach((key, value) -> {
            if (!defaults.containsKey(key)) {
                throw new ConfigException.BadPath(value.origin(), join(path, key), "there is no such key");
            }
        });
        return new BlockSettings(path, said, said.withFallback(defaults).toConfig());
    }

    private static String join(String path, String key) {
        return path.isEmpty() ? key : path + "." + key;
    }

    boolean says(String key) {
        ConfigValue value = said.get(key);
        return value != null && value.valueType() != ConfigValueType.NULL;
    }

    /** Where a key stands, or the block where it does not. */
    private ConfigOrigin origin(String key) {
        ConfigValue value = said.get(key);
        return value == null ? said.origin() : value.origin();
    }

    ConfigException refuse(String key, String reason) {
        return new ConfigException.BadValue(origin(key), join(path, key), reason);
    }

    private Config with(String key) {
        if (!all.hasPath(key)) {
            throw refuse(key, "is missing");
        }
        return all;
    }

    String text(String key) {
        return with(key).getString(key);
    }

    List<String> texts(String key) {
        return with(key).getStringList(key);
    }

    int count(String key) {
        return with(key).getInt(key);
    }

    double number(String key) {
        return with(key).getDouble(key);
    }

    boolean flag(String key) {
        return with(key).getBoolean(key);
    }

    long bytes(String key) {
        return with(key).getBytes(key);
    }

    /** A number without a unit would be milliseconds, which hardly anybody means. */
    Duration time(String key) {
        boolean bare = with(key).getValue(key).valueType() == ConfigValueType.NUMBER;
        if (bare && all.getDouble(key) != 0) {
            throw refuse(key, all.getString(key) + " has no unit; expected one such as ms, s, m, h or d");
        }
        return all.getDuration(key);
    }

    static LocalTime timeOfDay(String text) {
        try {
            return LocalTime.parse(text);
        } catch (DateTimeParseException e) {
            throw new IllegalArgumentException("'" + text + "' is no time of day such as \"07:30\"", e);
        }
    }

    /** A block within this one. */
    BlockSettings block(String key, ConfigObject defaults) {
        ConfigValue value = said.get(key);
        if (value != null && !(value instanceof ConfigObject)) {
            throw refuse(key, "expected a block in braces");
        }
        ConfigObject inner = value instanceof ConfigObject object ? object : all.getObject(key);
        return of(join(path, key), inner, defaults);
    }

    /** A list of blocks. */
    List<BlockSettings> blocks(String key, ConfigObject defaults) {
        List<BlockSettings> blocks = new ArrayList<>();
        for (ConfigValue value : with(key).getList(key)) {
            String name = join(path, key) + "[" + blocks.size() + "]";
            if (!(value instanceof ConfigObject object)) {
                throw new ConfigException.BadValue(value.origin(), name, "expected a block in braces");
            }
            blocks.add(of(name, object, defaults));
        }
        return blocks;
    }

    /** What it makes, whose complaints get this block's place. */
    <T> T make(Supplier<T> maker) {
        try {
            return maker.get();
        } catch (IllegalArgumentException | ArithmeticException e) {
            String name = path.isEmpty() ? "scenario" : path;
            throw new ConfigException.BadValue(said.origin(), name, String.valueOf(e.getMessage()), e);
        }
    }
}
