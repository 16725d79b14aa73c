/**
 * The REST API, one package for each topic. It checks requests, asks {@code queue} for changes and
 * {@code store} for reads, and never speaks to a worker. {@code request}, {@code problem} and
 * {@code answer} know none of the other packages; {@code submit} and {@code live} use {@code jobs}.
 */
@NullMarked
package io.errand.api;

import org.jspecify.annotations.NullMarked;
