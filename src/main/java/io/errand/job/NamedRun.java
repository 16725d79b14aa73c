package io.errand.job;

/**
 * Which named command the command of a job was made of.
 *
 * @param name of the named command
 * @param version of it, 0 where it stands in a file of the server
 * @param parameters what the job gave for it, as an object of JSON
 */
public record NamedRun(String name, int version, String parameters) {}
