/*
 * Inside of the private copy, shared by tree*.c. Layout of SPARKS_HOME/trees/ID/:
 *
 *   work/      what the box sees, with a throw-away work/.git that we write and never read
 *   git/       raw store: HEAD-less git folder; index, objects, refs/steps/N
 *   user/      git folder for the user's view: their attributes, their index copied, objects
 *              of their uncommitted changes. The box never sees it: it may hold what
 *              `sensitive` keeps out.
 *   tmp/       working space of one call
 *   layers/    what commands wrote into lent folders; layers-check/: checks; layers-setup/: the setup
 *   setup/     the checkout that the setup ran in, with what it left; setup.json says what
 *   NAME/      checkouts
 *   meta.json  written last: a tree without it is half-made
 *   apply.json what the last apply wrote or was about to write
 */
#ifndef SPK_BOX_TREE_PRIV_H
#define SPK_BOX_TREE_PRIV_H

#include <sys/stat.h>

#include "box/git.h"
#include "box/tree.h"
#include "guard/links.h"

#define TREE_META_MAX  (64u << 20)
#define TREE_LIST_MAX  (256u << 20) /* bytes of a list of paths from git */
#define TREE_MAX_FILES 200000
#define TREE_MAX_BYTES (G_GINT64_CONSTANT(4) << 30)
#define TREE_MODE_LINK 0120000
#define TREE_MODE_SUB  0160000

typedef struct { /* the user's folder, as found at the start */
	char *folder;
	char *top;     /* of their work tree; a plain folder: the folder */
	char *subdir;  /* "" or where the user stood below top */
	char *git_dir; /* NULL: a plain folder */
	char *common_dir;
	char *format; /* "sha1" or "sha256" */
	char *head;   /* commit; NULL: none yet */
	char *name, *email;
} TreeRepo;
void tree_repo_clear(TreeRepo *repo);

struct SpkTree {
	char *id, *dir, *work, *git, *user;
	char *objects, *user_objects; /* git/objects, user/objects */
	int work_fd;
	TreeRepo repo;
	char *base, *base_user, *base_commit;
	char *box_head;	      /* commit in git/ whose tree is base */
	char *shallow;	      /* the box's .git/shallow; NULL: none */
	gboolean has_filters; /* the user has git filters, such as LFS */
	char **notes;
	char **withheld; /* never enter snapshots: sensitive files, submodules, nested ones */
	char **submodules; /* of these, what leaves an empty folder */
	char **carried;	   /* folders that are lent, see tree_carry.c */
	char **hidden;	   /* sensitive files in them */
	char **forced;	   /* ignored by .gitignore and yet part of the base */
	char *set_up;	   /* folder of what the setup left; NULL: nothing is */
	SpkTreeSetup setup;
	char *last_raw; /* of the last snapshot, while git/index is last_index */
	struct stat last_index;
};

/* ---- tree_file.c ---- */
/* Elements of git's -z output: pointers into `out`. */
GPtrArray *tree_split_z(const GString *out);
/* Appends path and its NUL. */
void tree_list_add(GString *list, const char *path);
/* Paths are bytes: {"b64":…} when they aren't UTF-8. */
json_t *tree_path_to_json(const char *path);
char *tree_path_from_json(const json_t *json);
/* DIR/NAME with this content; replaced if there. No fsync: the promise is kill -9. */
gboolean tree_write_file(const char *dir, const char *name, const void *data, gsize len,
			 GError **error);
/* A regular file of at most `max` bytes, or NULL (also when it is a FIFO or missing). */
char *tree_read_optional(const char *path, gsize max);
/* Descriptor (O_PATH) of the folder that holds `path`, found from `top` without following any
 * symlink; *ret_name is the last component. `make`: missing folders are created, and each is
 * added to `made` (paths), which may be NULL. Errors as spk_fs_open_beneath. */
int tree_open_parent(int top, const char *path, gboolean make, GPtrArray *made,
		     const char **ret_name, GError **error);
int tree_open_dir(const char *path, GError **error);
/* For reading, no symlink, never waiting. */
int tree_open_file(int dir, const char *name, GError **error);
/* Hexadecimal, of what `sum` has already and the rest of the file. */
char *tree_hash_rest(int fd, const char *name, GChecksum *sum, GError **error);
/* Removes what is in the folder, not itself. */
gboolean tree_empty_dir(const char *path, GError **error);
/* trees/ID/tmp/NAME, empty. */
char *tree_temp_dir(SpkTree *tree, const char *name, GError **error);

/* ---- tree_gitdir.c ---- */
typedef struct {
	const char *path;
	const char *format;
	const char *head;	       /* "ref: …" or a commit */
	const char *config;	       /* more lines after [core]; may be NULL */
	const char *exclude;	       /* info/exclude; may be NULL */
	const char *attributes;	       /* info/attributes; may be NULL */
	const char *const *alternates; /* may be NULL */
	const char *shallow;	       /* may be NULL */
} TreeGitDir;
/* Every file of raw stores is bytes: no attribute of the work tree has a say. */
extern const char tree_raw_attributes[];
gboolean tree_gitdir_make(const TreeGitDir *spec, GError **error);
/* The throw-away .git of a work tree or checkout. `index` is a file to copy. */
gboolean tree_box_git(SpkTree *tree, const char *folder, const char *index,
		      const char *head, GError **error);
SpkGit tree_raw_git(SpkTree *tree);
SpkGit tree_user_git(SpkTree *tree);
SpkGit tree_their_git(SpkTree *tree);
/* "K=V" for author and committer; date NULL: now. Free with g_strfreev. */
char **tree_identity_env(const TreeRepo *repo, gint64 time_us);
/* commit-tree; parent may be NULL. */
char *tree_commit_object(const SpkGit *git, const char *of_tree, const char *parent,
			 const char *message, char **identity, SpkCancel *cancel,
			 GError **error);
const char *tree_zero_oid(const TreeRepo *repo);

/* ---- tree_repo.c ---- */
typedef struct {      /* what of the user's configuration decides about bytes and names */
	char *config; /* lines for user/config */
	char *exclude;		 /* their global excludes and info/exclude */
	char *attributes;	 /* info/attributes; NULL */
	char *global_attributes; /* core.attributesFile's content; NULL */
	gboolean has_filters;	 /* some filter.*.clean or .process is configured */
} TreeConfig;
void tree_config_clear(TreeConfig *config);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TreeConfig, tree_config_clear)
gboolean tree_repo_find(const char *folder, TreeRepo *repo, GError **error);
gboolean tree_repo_config(TreeRepo *repo, TreeConfig *ret_config, GError **error);
/* Commit HEAD names now; *ret_head NULL when there is none yet. */
gboolean tree_repo_head(SpkTree *tree, char **ret_head, GError **error);

/* ---- tree_view.c: the user's tree as a commit of theirs would hold it ---- */
typedef struct {
	char *tree;	       /* user tree; NULL for a plain folder */
	GString *paths;	       /* of its files, each with its NUL */
	GPtrArray *submodules; /* paths */
	GPtrArray
		*nested; /* paths of untracked repositories in it: not part of the view */
	guint n_sparse;	 /* tracked, but not in the work tree by the user's wish */
} TreeView;
void tree_view_clear(TreeView *view);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TreeView, tree_view_clear)
/* `index` names a file in user/ that becomes a copy of the user's index and then the view's. */
gboolean tree_view_make(SpkTree *tree, const char *index, const SpkTreeLimits *limits,
			SpkCancel *cancel, TreeView *ret_view, GError **error);

/* ---- tree_carry.c ---- */
/* Fills tree->carried and tree->hidden; `paths` of the view, each with its NUL. Sensitive files in
 * them are added to `links` (NULL: there is no list), and hidden under all their names. CONFIG
 * when one of the names to look for is none. */
gboolean tree_carry_find(SpkTree *tree, const GString *paths, const SpkTreeLimits *limits,
			 SpkLinks *links, GError **error);

/* ---- tree_setup.c ---- */
#define TREE_SETUP "setup"
gboolean tree_setup_load(SpkTree *tree, GError **error);
/* What it wrote into the lent folder KEY; NULL: nothing. */
char *tree_setup_layer(const SpkTree *tree, const char *key);
/* Files that it left, and with `folders` all of it, into the work tree or checkout, where they
 * are not there yet. */
gboolean tree_setup_install(SpkTree *tree, const char *folder, gboolean folders,
			    GError **error);

/* ---- tree_pointer.c ---- */
/* Puts LFS pointers back into `git`'s index where `add` replaced them by a file whose content
 * is the one they point to. `before`: "MODE SHA STAGE\tPATH" of the index, from the second
 * character on; `now`: "MODE blob SHA\tPATH". *ret_any: some were. */
gboolean tree_pointers_keep(SpkTree *tree, const SpkGit *git, GPtrArray *before,
			    GPtrArray *now, SpkCancel *cancel, gboolean *ret_any,
			    GError **error);

/* user/NAME becomes a copy of the user's index (absent when they have none). */
gboolean tree_view_copy_index(SpkTree *tree, const char *name, GError **error);

/* ---- tree_scan.c: a look at what the box left, before git sees it ---- */
typedef struct {
	GPtrArray *files;    /* files and links outside of .git; NULL unless asked for */
	GPtrArray *suspects; /* files git could wrongly take for unchanged */
	gboolean odd; /* some folder below has a .git of its own, or there is a .GIT */
} TreeScan;
void tree_scan_clear(TreeScan *scan);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TreeScan, tree_scan_clear)
/* index_time: when the index was last written; NULL: no suspects wanted. */
gboolean tree_scan(const char *work, const struct timespec *index_time,
		   gboolean want_files, SpkCancel *cancel, TreeScan *ret_scan,
		   GError **error);

/* ---- tree_copy.c ---- */
typedef struct {
	GPtrArray *sensitive; /* paths left out */
	SpkLinks *links;      /* other names of sensitive files; NULL: there is no list */
	GPtrArray *linked; /* of these, the ones that a sensitive file is known by too */
	GPtrArray *specials; /* FIFOs, sockets and devices beside the files */
	guint n_missing;     /* listed, but not there */
} TreeCopy;
void tree_copy_clear(TreeCopy *copy);
gboolean tree_copy_files(SpkTree *tree, const GString *paths, const SpkTreeLimits *limits,
			 SpkCancel *cancel, TreeCopy *ret_copy, GError **error);

/* ---- tree_record.c ---- */
/* work/ into git/'s index and from there a raw tree. `all`: ignored files too. */
char *tree_record(SpkTree *tree, gboolean all, SpkCancel *cancel, GError **error);

/* ---- tree_step.c ---- */
/* Empty folders for submodules and the box's .git, for a work/ that git/index fits. */
gboolean tree_work_ready(SpkTree *tree, GError **error);

/* ---- tree_history.c ---- */
/* The last commits' objects into git/, without sensitive blobs, when they are few. FALSE with
 * *error only when cancelled; *ret_shallow NULL: no history. */
gboolean tree_history_copy(SpkTree *tree, const SpkTreeLimits *limits, SpkCancel *cancel,
			   char **ret_shallow, GError **error);
/* No history after all. */
gboolean tree_history_drop(SpkTree *tree, GError **error);

/* ---- tree_read.c ---- */
/* As spk_tree_changes(), of trees or commits that `git` sees. */
GPtrArray *tree_changes_in(const SpkGit *git, const char *from, const char *to,
			   GError **error);

/* ---- tree_commit.c ---- */
typedef struct {	  /* one path in a state */
	const char *path; /* borrowed */
	guint mode;	  /* 0: absent */
	const char *blob; /* in git/ */
} TreeFile;
/* These files of git/ (absent ones skipped) as real files below `folder`. */
gboolean tree_materialise(SpkTree *tree, GArray *files, const char *folder,
			  SpkCancel *cancel, GError **error);
/* User tree `onto` (NULL: empty) with these files as they are in git/. */
char *tree_convert(SpkTree *tree, const char *onto, GArray *files, SpkCancel *cancel,
		   GError **error);
/* Objects of `commit` that HEAD does not have, into the user's object folder, as one pack. */
gboolean tree_hand_over(SpkTree *tree, const char *commit, const char *has,
			SpkCancel *cancel, GError **error);

/* ---- tree_meta.c ---- */
gboolean tree_meta_save(SpkTree *tree, GError **error);
SpkTree *tree_new(const char *home, const char *id);
/* An id becomes the name of a folder. */
gboolean tree_id_check(const char *id, GError **error);

#endif
