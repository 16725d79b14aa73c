/** Recordings of the server itself, by JDK Flight Recorder, for administrators. */
@NullMarked
package io.errand.profile;

import org.jspecify.annotations.NullMarked;
