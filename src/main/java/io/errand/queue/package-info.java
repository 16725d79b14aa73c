/**
 * What clients want done to jobs: submit, retry, cancel, release. Here a repeat is distinguished
 * from another request, and ids are made. It speaks in values; the wire is the business of {@code
 * api}.
 */
@NullMarked
package io.errand.queue;

import org.jspecify.annotations.NullMarked;
