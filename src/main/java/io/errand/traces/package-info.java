/** Spans of what becomes of jobs, for a receiver of OTLP; nothing where none is set. */
@NullMarked
package io.errand.traces;

import org.jspecify.annotations.NullMarked;
