package io.errand.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code errand completion}: a script that lets a shell ask {@link Complete}. */
@Command(
    name = "completion",
    description = {
      "Print a completion script for bash, zsh or fish.",
      "It completes verbs, options and their values, and from the server ids of jobs and names."
    })
final class Completion implements Callable<Integer> {
  /** A shell. */
  enum Shell {
    bash,
    zsh,
    fish
  }

  private static final String BASH =
      """
      # Completion of errand for bash.
      _errand() {
        local IFS=$'\\n' line current="${COMP_WORDS[COMP_CWORD]}"
        local -a words=("${COMP_WORDS[@]:1:COMP_CWORD-1}")
        COMPREPLY=()
        while read -r line; do
          COMPREPLY+=("${line%%$'\\t'*}")
        done < <("${COMP_WORDS[0]}" complete -- "${words[@]}" "$current" 2>/dev/null)
      }
      complete -o default -F _errand errand ./errand
      """;

  private static final String ZSH =
      """
      #compdef errand
      # Completion of errand for zsh.
      _errand() {
        local line
        local -a found
        for line in "${(@f)$("${words[1]}" complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
          [[ -n "$line" ]] || continue
          line="${line//:/\\\\:}"
          found+=("${line/$'\\t'/:}")
        done
        if (( ${#found} )); then
          _describe -V errand found
        else
          _files
        fi
      }
      (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
      compdef _errand errand ./errand
      """;

  private static final String FISH =
      """
      # Completion of errand for fish.
      function __errand_complete
        set -l words (commandline -opc)
        set -l current (commandline -ct)
        $words[1] complete -- $words[2..-1] "$current" 2>/dev/null
      end
      complete -c errand -f -a '(__errand_complete)'
      """;

  @Parameters(
      arity = "0..1",
      paramLabel = "SHELL",
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).",
      defaultValue = "bash")
  Shell shell = Shell.bash;

  @Override
  public Integer call() {
    System.out.print(
        switch (shell) {
          case bash -> BASH;
          case zsh -> ZSH;
          case fish -> FISH;
        });
    return ExitCodes.OK;
  }
}
