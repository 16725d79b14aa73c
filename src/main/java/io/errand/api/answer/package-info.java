/** Bodies of answers that are made while they are sent, and the memory that they hold. */
@NullMarked
package io.errand.api.answer;

import org.jspecify.annotations.NullMarked;
