/**
 * The client for Java programs: submits jobs, waits for them, lists them and reads their output. It
 * needs Java 17 and nothing else, and imports nothing but the JDK, so that it is an artifact of its
 * own: {@code io.errand:errand-client}. The command line is built on it.
 *
 * <p>{@link io.errand.client.ErrandClient} is where a program begins. What it has no method for is
 * called through {@link io.errand.client.ApiConnection}.
 */
package io.errand.client;
