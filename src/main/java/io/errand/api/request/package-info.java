/**
 * What every request passes before its route runs: the gate, its body with the memory for it,
 * strict JSON, its id and its meters.
 */
@NullMarked
package io.errand.api.request;

import org.jspecify.annotations.NullMarked;
