package dev.meridian.node;

import java.util.Locale;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Prints a completion script. */
@Command(
        name = "completion",
        description = {
            "Print the completion script of a shell.",
            "bash: source <(./meridian completion bash)",
            "zsh:  autoload -U compinit && compinit; source <(./meridian completion zsh)"
        })
final class CompletionCommand implements Runnable {
    /** One script serves both: under zsh it switches zsh's emulation of bash completion on. */
    private enum Shell {
        BASH,
        ZSH;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    @SuppressWarnings("UnusedVariable") // Asked for and checked, but both shells get the same script.
    @Parameters(paramLabel = "<shell>", description = "One of ${COMPLETION-CANDIDATES}.")
    private Shell shell;

    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        CommandSpec root = spec.root();
        spec.commandLine().getOut().print(AutoComplete.bash(root.name(), root.commandLine()));
        spec.commandLine().getOut().flush();
    }
}
