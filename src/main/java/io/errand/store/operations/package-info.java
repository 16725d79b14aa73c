/**
 * Bulk changes of jobs: their rows, what they match, and the steps in which they are carried out.
 * Nothing here decides when a step is due for this process: {@code worker.OperationRunner} does.
 */
@NullMarked
package io.errand.store.operations;

import org.jspecify.annotations.NullMarked;
