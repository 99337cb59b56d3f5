/* version.h - the program's version, semantic (semver.org). */
#ifndef APPLIANCE_VERSION_H
#define APPLIANCE_VERSION_H

#define VERSION_TEXT "0.1.0"

#endif
