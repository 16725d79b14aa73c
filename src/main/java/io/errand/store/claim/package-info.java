/**
 * The statements that claim jobs and store completions. Each write about an attempt names the job
 * and its claim token.
 */
@NullMarked
package io.errand.store.claim;

import org.jspecify.annotations.NullMarked;
