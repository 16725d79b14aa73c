package io.errand.text;

import java.io.PrintWriter;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.TypeConversionException;
import picocli.CommandLine.UnmatchedArgumentException;

/** How a command line tells people how it is used: the width of its help, and wrong words. */
public final class CommandUse {
  private static final int USUAL_WIDTH = 80;
  private static final int LEAST_WIDTH = 60;
  private static final int MOST_WIDTH = 200;

  private CommandUse() {}

  /** Prepares a command and all commands that it has by now. */
  public static void prepare(CommandLine line) {
    line.setUsageHelpWidth(width(System.getenv("COLUMNS")));
    // One expression for each converter: with two of the same, Java 17 fails to archive its
    // classes.
    ITypeConverter<Double> seconds = CommandUse::seconds;
    ITypeConverter<Integer> wholeNumber = CommandUse::wholeNumber;
    line.registerConverter(Double.class, seconds);
    line.registerConverter(Double.TYPE, seconds);
    line.registerConverter(Integer.class, wholeNumber);
    line.registerConverter(Integer.TYPE, wholeNumber);
    line.setParameterExceptionHandler(CommandUse::refuse);
  }

  private static int width(@Nullable String columns) {
    return columns != null && columns.matches("[1-9][0-9]{0,3}")
        ? Math.max(LEAST_WIDTH, Math.min(MOST_WIDTH, Integer.parseInt(columns)))
        : USUAL_WIDTH;
  }

  private static Double seconds(String text) {
    if (!text.matches("[+-]?[0-9]+(\\.[0-9]+)?")) {
      throw new TypeConversionException("'" + text + "' is not a number of seconds");
    }
    return Double.valueOf(text);
  }

  private static Integer wholeNumber(String text) {
    try {
      return Integer.valueOf(text);
    } catch (NumberFormatException e) {
      throw new TypeConversionException("'" + text + "' is not a whole number");
    }
  }

  private static int refuse(ParameterException fault, String... arguments) {
    CommandSpec command = fault.getCommandLine().getCommandSpec();
    System.err.println("errand: " + Visible.line(String.valueOf(fault.getMessage())));
    PrintWriter err = fault.getCommandLine().getErr();
    UnmatchedArgumentException.printSuggestions(fault, err);
    err.flush();
    System.err.println("See `" + command.qualifiedName() + " --help`.");
    return CommandLine.ExitCode.USAGE;
  }
}
