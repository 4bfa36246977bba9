package release

import (
	"strings"
	"unicode/utf8"
)

// The classes of files that MediaOf tells apart.
const (
	MediaVideo      = "video"
	MediaAudio      = "audio"
	MediaImage      = "image"
	MediaBook       = "book"
	MediaComic      = "comic"
	MediaArchive    = "archive"
	MediaProgram    = "program"
	MediaDiscImage  = "disc_image"
	MediaROM        = "rom"
	MediaSubtitle   = "subtitle"
	MediaText       = "text"
	MediaPlaylist   = "playlist"
	MediaChecksum   = "checksum"
	MediaFont       = "font"
	MediaSource     = "source"
	MediaData       = "data"
	MediaIncomplete = "incomplete"
	MediaOther      = "other"
)

// maxExtension bounds what counts as an extension; a longer tail is part of the name.
const maxExtension = 10

// Extension returns a path's extension in lower case, without its dot; empty where it has none that reads as one.
func Extension(path string) string {
	base := path[strings.LastIndexAny(path, "/\\")+1:]
	dot := strings.LastIndexByte(base, '.')
	if dot <= 0 || dot == len(base)-1 || len(base)-dot-1 > maxExtension {
		return ""
	}
	e := base[dot+1:]
	lower := false
	for i := range len(e) {
		c := e[i]
		switch {
		case c >= 'A' && c <= 'Z':
			lower = true
		case c >= utf8.RuneSelf || !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '!' || c == '+' || c == '-'):
			return ""
		}
	}
	if lower {
		return strings.ToLower(e)
	}
	return e
}

// MediaOf returns the class of an extension as Extension gives it.
func MediaOf(extension string) string {
	switch extension {
	case "mkv", "mp4", "avi", "m4v", "wmv", "mov", "mpg", "mpeg", "ts", "m2ts", "mts", "vob", "flv", "webm", "rmvb", "rm", "ogm", "ogv",
		"divx", "3gp", "asf", "f4v", "mk3d", "m2v", "m1v", "tp", "trp", "evo", "dv", "mxf", "hevc", "h264", "avs", "ifo", "bup", "bdmv",
		"mpls", "clpi", "ssif", "wtv", "dat", "amv", "xvid", "mpv", "vro", "3g2", "qt", "ivf", "y4m", "wm", "dvr", "gifv":
		if extension == "dat" {
			return MediaData
		}
		return MediaVideo
	case "mp3", "flac", "m4a", "ogg", "wav", "wma", "ape", "aac", "opus", "m4b", "alac", "aiff", "aif", "dsf", "dff", "mka", "wv", "ac3",
		"dts", "tta", "mid", "midi", "mpc", "tak", "oga", "aa", "aax", "mp2", "ra", "amr", "eac3", "thd", "caf", "shn", "au", "xm", "it", "mod",
		"s3m", "spx", "m4p", "m4r", "dtshd", "mogg":
		return MediaAudio
	case "jpg", "jpeg", "png", "gif", "bmp", "webp", "tif", "tiff", "psd", "heic", "avif", "svg", "ico", "raw", "cr2", "nef", "arw", "dng",
		"ai", "eps", "tga", "jfif", "jxl", "xcf", "indd", "jpe", "jp2", "exr", "hdr":
		return MediaImage
	case "pdf", "epub", "mobi", "azw3", "azw", "djvu", "djv", "fb2", "lit", "prc", "chm", "azw4", "kfx", "lrf", "pdb", "ibooks", "oxps", "xps",
		"kepub", "tcr", "opf":
		return MediaBook
	case "cbr", "cbz", "cb7", "cbt", "cba":
		return MediaComic
	case "zip", "rar", "7z", "tar", "gz", "bz2", "xz", "zst", "tgz", "tbz2", "lzh", "lha", "arj", "ace", "cab", "z", "txz", "lz4", "zipx",
		"r00", "r01", "z01", "001", "002", "sit", "sitx", "par2", "lzma", "br":
		return MediaArchive
	}
	return otherMedia(extension)
}

func otherMedia(extension string) string {
	switch extension {
	case "exe", "msi", "apk", "dll", "bat", "cmd", "app", "dmg", "pkg", "deb", "rpm", "ipa", "jar", "sh", "run", "appimage", "msix", "appx",
		"so", "dylib", "sys", "xapk", "apks", "aab", "flatpak", "snap", "vst3", "vst", "com", "scr", "msp", "msu", "air", "xpi", "crx", "elf",
		"appxbundle", "msixbundle", "obb", "wasm", "ocx", "drv":
		return MediaProgram
	case "iso", "bin", "cue", "img", "mdf", "mds", "nrg", "ccd", "sub", "vhd", "vhdx", "vmdk", "vdi", "qcow2", "wim", "esd", "swm", "daa", "toast",
		"cdi", "gdi", "chd", "udf", "isz", "uif", "ova", "ovf", "dsk":
		return MediaDiscImage
	case "nsp", "xci", "nsz", "xcz", "3ds", "cia", "nds", "gba", "gbc", "gb", "n64", "z64", "v64", "smc", "sfc", "nes", "wbfs", "rvz", "gcm", "gcz",
		"wad", "wux", "wud", "cso", "pbp", "vpk", "ciso", "pkg3", "sms", "gen", "smd", "pce", "ngp", "ws", "wsc", "adf", "d64", "rpx", "xex", "pup",
		"ecm", "a26", "lnx", "dsi", "fds", "unf", "rom", "nro", "nca", "xbe":
		return MediaROM
	case "srt", "ass", "ssa", "vtt", "idx", "sup", "smi", "usf", "ttml", "sbv", "stl", "mpl":
		return MediaSubtitle
	case "txt", "nfo", "md", "rtf", "doc", "docx", "html", "htm", "url", "odt", "log", "diz", "xls", "xlsx", "ppt", "pptx", "csv", "mht", "mhtml",
		"pages", "key", "numbers", "tex", "rst", "website", "webloc", "lnk", "desktop", "pps", "ppsx", "ods", "odp", "readme", "me", "1st", "wri",
		"xml", "json", "yaml", "yml", "ini", "cfg", "conf", "torrent", "vcf", "eml":
		return MediaText
	case "m3u", "m3u8", "pls", "wpl", "xspf", "asx":
		return MediaPlaylist
	case "sfv", "md5", "sha1", "sha256", "sha512", "ffp", "st5", "asc", "sig", "sha", "crc", "accurip", "xxh":
		return MediaChecksum
	case "ttf", "otf", "woff", "woff2", "ttc", "fon", "pfb", "eot":
		return MediaFont
	case "go", "py", "js", "c", "cpp", "h", "hpp", "java", "cs", "php", "rb", "rs", "swift", "kt", "ipynb", "sql", "css", "scss", "tsx",
		"jsx", "vue", "lua", "pl", "r", "m", "vb", "asm", "ps1", "psm1", "scala", "dart", "sol", "map", "lock":
		return MediaSource
	case "pak", "dat", "db", "sqlite", "parquet", "npz", "npy", "h5", "hdf5", "pth", "pt", "ckpt", "safetensors", "gguf", "onnx", "ndjson",
		"mdb", "warc", "osm", "pbf", "shp", "tfrecord", "pickle", "pkl", "arrow", "feather", "avro", "bson", "dump", "bak", "unity3d", "assets", "rpf",
		"bsa", "ba2", "big", "arc", "forge", "vpp", "ucas", "utoc", "upk", "uasset", "bundle", "ress", "wem", "bnk", "bik", "bk2", "nki", "nkx", "ncw", "nkc",
		"rx2", "rex", "sf2", "exs", "aep", "mogrt", "blend", "obj", "fbx", "max", "c4d", "stl3", "dwg", "dxf", "step", "ldf", "mdx":
		return MediaData
	case "!ut", "part", "!qb", "crdownload", "bc!", "aria2":
		return MediaIncomplete
	}
	return MediaOther
}

// File is one file of a torrent, its path's parts joined by '/'.
type File struct {
	Path string
	Size int64
}

// Media sums a torrent's files by class, so that classifying a million of them needs no list.
type Media struct {
	Files, Bytes int64
	classes      [len(mediaClasses)]share
	audiobook    int64 // bytes of m4b, aa, aax
	setup        bool  // a file named setup or install
	disc         bool  // the folders of a video disc
	lessons      int64 // videos whose names are numbered, as lessons are
	videos       int64
}

type share struct{ files, bytes int64 }

var mediaClasses = [...]string{
	MediaVideo, MediaAudio, MediaImage, MediaBook, MediaComic, MediaArchive, MediaProgram, MediaDiscImage, MediaROM, MediaSubtitle, MediaText,
	MediaPlaylist, MediaChecksum, MediaFont, MediaSource, MediaData, MediaIncomplete, MediaOther,
}

// Add counts one file.
func (m *Media) Add(f File) {
	size := max(f.Size, 0)
	m.Files++
	m.Bytes += size
	e := Extension(f.Path)
	class := MediaOf(e)
	for i, c := range mediaClasses {
		if c == class {
			m.classes[i].files++
			m.classes[i].bytes += size
			break
		}
	}
	base := f.Path[strings.LastIndexByte(f.Path, '/')+1:]
	switch {
	case e == "m4b" || e == "aa" || e == "aax":
		m.audiobook += size
	case class == MediaProgram:
		m.setup = m.setup || hasFold(base, "setup") || hasFold(base, "install")
	case class == MediaVideo:
		m.videos++
		if len(base) > 2 && base[0] >= '0' && base[0] <= '9' {
			m.lessons++
		}
		m.disc = m.disc || e == "ifo" || e == "bup" || e == "bdmv" || e == "mpls"
	}
}

func hasFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// Share is the part of the bytes that files of a class hold, 0 to 1; of a torrent of empty files, the part of the files.
func (m *Media) Share(class string) float64 {
	for i, c := range mediaClasses {
		if c != class {
			continue
		}
		if m.Bytes > 0 {
			return float64(m.classes[i].bytes) / float64(m.Bytes)
		}
		if m.Files > 0 {
			return float64(m.classes[i].files) / float64(m.Files)
		}
	}
	return 0
}
