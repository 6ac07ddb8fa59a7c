package dev.meridian.node;

import picocli.CommandLine.IVersionProvider;

/** What {@code --version} prints: the jar's version, then the platform, which a report of a fault should name. */
final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
        String version = Version.class.getPackage().getImplementationVersion();
        return new String[] {
            "Meridian " + (version == null ? "(unpackaged)" : version),
            "Java " + Runtime.version() + ", " + System.getProperty("os.name") + " " + System.getProperty("os.arch")
        };
    }
}
