/* The databases the store can lie in. */
#include "store/store_impl.h"

const SpkDbImpl *const spk_db_backends[] = {
	&spk_db_sqlite,
	NULL,
};
