import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.commonmark.Extension;
import org.commonmark.ext.gfm.tables.TablesExtension;
import org.commonmark.node.AbstractVisitor;
import org.commonmark.node.Code;
import org.commonmark.node.FencedCodeBlock;
import org.commonmark.node.Heading;
import org.commonmark.node.Link;
import org.commonmark.node.Node;
import org.commonmark.node.SoftLineBreak;
import org.commonmark.node.Text;
import org.commonmark.parser.Parser;
import org.commonmark.renderer.html.HtmlRenderer;

/**
 * Makes the documentation a static site: each Markdown file a page, with links between pages, a
 * table of contents and an index for the search box. The build starts this file as it is, with
 * commonmark on the class path: {@code java -cp … Site.java CHECKOUT TARGET}.
 *
 * <p>All links are relative, so the site works below any path and from a folder. A page asks no
 * other host for anything.
 */
public final class Site {
  private static final List<Extension> EXTENSIONS = List.of(TablesExtension.create());
  private static final Parser PARSER = Parser.builder().extensions(EXTENSIONS).build();

  /** What is said of the project beside docs/, by its path in the repository. */
  private static final Map<String, String> OTHERS =
      Map.of(
          "README.md", "readme.html",
          "SECURITY.md", "report-a-fault.html",
          "CHANGELOG.md", "changelog.html",
          "CONTRIBUTING.md", "contributing.html",
          "bench/README.md", "measurements.html",
          "db/README.md", "reference/queries.html",
          "docker/README.md", "how-to/containers.html");

  /** One page. */
  private static final class Page {
    final String source;
    final String target;
    final Node document;
    final Map<Heading, String> anchors = new LinkedHashMap<>();
    final String title;

    Page(String source, String target, String markdown) {
      this.source = source;
      this.target = target;
      this.document = PARSER.parse(markdown);
      Map<String, Integer> used = new TreeMap<>();
      document.accept(
          new AbstractVisitor() {
            @Override
            public void visit(Heading heading) {
              String slug = slug(text(heading));
              int before = used.merge(slug, 1, Integer::sum) - 1;
              anchors.put(heading, before == 0 ? slug : slug + "-" + before);
            }
          });
      this.title = anchors.keySet().stream().findFirst().map(Site::text).orElse(source);
    }
  }

  private final Path checkout;
  private final Path target;
  private final Map<String, Page> pages = new TreeMap<>();
  private final List<String> names = new ArrayList<>();

  private Site(Path checkout, Path target) {
    this.checkout = checkout;
    this.target = target;
  }

  public static void main(String[] arguments) throws IOException {
    Site site = new Site(Path.of(arguments[0]).toAbsolutePath(), Path.of(arguments[1]));
    site.read();
    site.write();
    System.out.println(site.pages.size() + " pages in " + site.target);
  }

  private void read() throws IOException {
    List<Path> files;
    try (Stream<Path> walk = Files.walk(checkout.resolve("docs"))) {
      files = walk.filter(file -> file.toString().endsWith(".md")).sorted().toList();
    }
    for (Path file : files) {
      String inside = checkout.resolve("docs").relativize(file).toString();
      String html =
          inside.equals("README.md") ? "index.html" : inside.replaceFirst("\\.md$", ".html");
      add("docs/" + inside, html.toLowerCase(Locale.ROOT));
    }
    for (Map.Entry<String, String> other : new TreeMap<>(OTHERS).entrySet()) {
      add(other.getKey(), other.getValue());
    }
  }

  private void add(String source, String html) throws IOException {
    pages.put(source, new Page(source, html, Files.readString(checkout.resolve(source))));
  }

  private void write() throws IOException {
    StringBuilder index = new StringBuilder("window.errandIndex=[");
    String layout = Files.readString(checkout.resolve("docs/site/layout.html"));
    String menu = menu();
    for (Page page : pages.values()) {
      String root = "../".repeat((int) page.target.chars().filter(c -> c == '/').count());
      String html =
          layout
              .replace("{title}", escape(page.title))
              .replace("{root}", root)
              .replace("{menu}", menu(menu, page.target, root))
              .replace("{contents}", contents(page))
              .replace("{body}", body(page));
      write(page.target, html);
      index.append(index.charAt(index.length() - 1) == '[' ? "" : ",\n").append(entries(page));
    }
    write("search-index.js", index.append("];\n").toString());
    String console = Files.readString(checkout.resolve("src/main/resources/console/console.css"));
    // The colours are those of the console: what stands before its first rule for all elements.
    String colours = console.substring(0, console.indexOf("*, *::before"));
    write("site.css", colours + Files.readString(checkout.resolve("docs/site/site.css")));
    for (String name : List.of("site.js", "theme.js", "icon.svg", "console.png")) {
      Path file = checkout.resolve("docs/site").resolve(name);
      if (!Files.exists(file)) {
        file = checkout.resolve("src/main/resources/console").resolve(name);
      }
      Files.write(target.resolve(name), Files.readAllBytes(file));
      names.add(name);
    }
    Files.writeString(target.resolve("files.txt"), String.join("\n", names) + "\n");
  }

  private void write(String name, String text) throws IOException {
    Path file = target.resolve(name);
    Files.createDirectories(file.getParent());
    names.add(name);
    Files.writeString(file, text);
  }

  /** The lists of docs/README.md are the menu, up to the decisions. */
  private String menu() {
    Page index = pages.get("docs/README.md");
    StringBuilder menu = new StringBuilder();
    Heading title = null;
    for (Node node = index.document.getFirstChild(); node != null; node = node.getNext()) {
      if (node instanceof Heading heading && heading.getLevel() == 2) {
        title = heading;
      } else if (node instanceof org.commonmark.node.ListBlock && title != null) {
        menu.append("<h2>").append(escape(text(title))).append("</h2>\n<ul>\n");
        node.accept(
            new AbstractVisitor() {
              @Override
              public void visit(Link link) {
                menu.append("<li><a href=\"")
                    .append(address(index, link.getDestination()))
                    .append("\">")
                    .append(escape(text(link)))
                    .append("</a></li>\n");
              }
            });
        menu.append("</ul>\n");
      }
    }
    return menu.toString();
  }

  private static String menu(String menu, String here, String root) {
    return menu.replace(
            "<a href=\"" + here + "\"", "<a aria-current=\"page\" href=\"" + here + "\"")
        .replaceAll("href=\"(?!https?:)", Matcher.quoteReplacement("href=\"" + root));
  }

  /** The second level of headings, where there are several. */
  private static String contents(Page page) {
    StringBuilder list = new StringBuilder();
    page.anchors.forEach(
        (heading, anchor) -> {
          if (heading.getLevel() == 2) {
            list.append("<li><a href=\"#%s\">%s</a></li>\n".formatted(anchor, escape(text(heading))));
          }
        });
    return list.indexOf("</li>\n<li>") < 0 ? "" : "<h2>On this page</h2>\n<ul>\n" + list + "</ul>";
  }

  private String body(Page page) {
    HtmlRenderer renderer =
        HtmlRenderer.builder()
            .extensions(EXTENSIONS)
            .escapeHtml(true)
            .attributeProviderFactory(
                context ->
                    (node, tag, attributes) -> {
                      if (node instanceof Heading heading) {
                        attributes.put("id", page.anchors.get(heading));
                      } else if (node instanceof Link link) {
                        attributes.put("href", address(page, link.getDestination()));
                      } else if (node instanceof org.commonmark.node.Image image) {
                        String name = image.getDestination();
                        attributes.put("src", relative(page, name.replaceFirst(".*/", "")));
                      } else if (node instanceof FencedCodeBlock block && tag.equals("code")) {
                        attributes.remove("class");
                        String language = block.getInfo().replaceFirst(" .*", "");
                        if (!language.isEmpty()) {
                          attributes.put("class", "language-" + language);
                        }
                      }
                    })
            .build();
    String html = renderer.render(page.document);
    html = html.replace("<table>", "<div class=\"wide\"><table>").replace("</table>", "</table></div>");
    // A link beside each heading, so that it can be passed on.
    return html.replaceAll(
        "<h([23]) id=\"([^\"]*)\">(.*?)</h[23]>",
        "<h$1 id=\"$2\">$3 <a class=\"anchor\" href=\"#$2\" aria-label=\"Link to this section\">#</a></h$1>");
  }

  /** Where a link of a source leads in the site. */
  private String address(Page page, String destination) {
    if (destination.matches("(?s)(https?:|mailto:|#).*")) {
      return destination;
    }
    int hash = destination.indexOf('#');
    String path = hash < 0 ? destination : destination.substring(0, hash);
    String anchor = hash < 0 ? "" : destination.substring(hash);
    Path from = Path.of(page.source).getParent();
    String file = (from == null ? Path.of(path) : from.resolve(path)).normalize().toString();
    Page to = pages.get(file);
    if (to != null) {
      return relative(page, to.target) + anchor;
    }
    if (file.equals("docs/adr")) {
      return relative(page, "index.html") + "#decisions";
    }
    throw new IllegalArgumentException(page.source + " links to " + destination);
  }

  private static String relative(Page page, String to) {
    Path from = Path.of(page.target).getParent();
    return from == null ? to : from.relativize(Path.of(to)).toString();
  }

  /** For the search box: each section with its words. */
  private static String entries(Page page) {
    StringBuilder entries = new StringBuilder();
    Heading heading = null;
    StringBuilder words = new StringBuilder();
    for (Node node = page.document.getFirstChild(); node != null; node = node.getNext()) {
      if (node instanceof Heading next && next.getLevel() <= 3) {
        entry(entries, page, heading, words);
        heading = next;
        words.setLength(0);
      } else {
        words.append(text(node)).append(' ');
      }
    }
    entry(entries, page, heading, words);
    return entries.toString();
  }

  private static void entry(StringBuilder to, Page page, Heading heading, StringBuilder words) {
    if (heading == null) {
      return;
    }
    String anchor = heading.getLevel() == 1 ? "" : "#" + page.anchors.get(heading);
    to.append(to.length() == 0 ? "" : ",\n")
        .append("[")
        .append(String.join(",", List.of(
            quoted(page.target + anchor),
            quoted(page.title),
            quoted(heading.getLevel() == 1 ? "" : text(heading)),
            quoted(words.toString().replaceAll("\\s+", " ").strip()))))
        .append("]");
  }

  private static String quoted(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    for (char c : text.toCharArray()) {
      if (c == '"' || c == '\\') {
        quoted.append('\\').append(c);
      } else if (c < ' ' || c == '<' || c == '\u2028' || c == '\u2029') {
        quoted.append("\\u%04x".formatted((int) c));
      } else {
        quoted.append(c);
      }
    }
    return quoted.append('"').toString();
  }

  /** As the usual hosts of repositories make anchors of headings. */
  private static String slug(String heading) {
    return heading
        .toLowerCase(Locale.ROOT)
        .replaceAll("[^\\p{L}\\p{N}\\p{M}\\p{Pc} -]", "")
        .replace(' ', '-');
  }

  private static String text(Node node) {
    StringBuilder text = new StringBuilder();
    node.accept(
        new AbstractVisitor() {
          @Override
          public void visit(Text part) {
            text.append(part.getLiteral());
          }

          @Override
          public void visit(Code code) {
            text.append(code.getLiteral());
          }

          @Override
          public void visit(SoftLineBreak line) {
            text.append(' ');
          }

          @Override
          public void visit(FencedCodeBlock block) {
            text.append(' ').append(block.getLiteral()).append(' ');
          }

          @Override
          protected void visitChildren(Node parent) {
            super.visitChildren(parent);
            if (parent instanceof org.commonmark.node.Block
                || parent instanceof org.commonmark.node.CustomNode) {
              text.append(' ');
            }
          }
        });
    return node instanceof Heading ? text.toString().strip() : text.toString();
  }

  private static String escape(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("\"", "&quot;");
  }
}
