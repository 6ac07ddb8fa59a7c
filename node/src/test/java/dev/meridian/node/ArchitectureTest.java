package dev.meridian.node;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.name;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import com.tngtech.archunit.lang.syntax.elements.GivenClassesConjunction;
import java.util.List;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/**
 * The boundaries between modules. Each rule comes with classes of the test sources that break it: a rule that lets them
 * pass would let anything pass.
 */
final class ArchitectureTest {
    private static final JavaClasses MAIN = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            // From Maven's package phase on the other modules' tests come as jars.
            .withImportOption(location -> !location.contains("-tests.jar"))
            .importPackages("dev.meridian");
    private static final JavaClasses VIOLATIONS = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.ONLY_INCLUDE_TESTS)
            .importPackages("dev.meridian")
            .that(not(resideInAPackage("dev.meridian.node..")));

    /**
     * @param rule what all of Meridian's classes keep
     * @param broken parts of the lines that the rule must report for the classes that break it
     * @param kept name of a class that comes close and may pass; empty where there is none
     */
    record Boundary(ArchRule rule, List<String> broken, String kept) {
        Boundary(ArchRule rule, String... broken) {
            this(rule, List.of(broken), "");
        }

        Boundary except(String name) {
            return new Boundary(rule, broken, name);
        }

        @Override
        public String toString() {
            return rule.getDescription();
        }
    }

    static final List<Boundary> BOUNDARIES = List.of(
            new Boundary(
                    module("edge").should().dependOnClassesThat(in("placement", "actors")),
                    "EdgeUsesSiblings.actors",
                    "EdgeUsesSiblings.placement"),
            new Boundary(
                    module("placement").should().dependOnClassesThat(in("edge", "actors")),
                    "PlacementUsesSiblings.actors",
                    "PlacementUsesSiblings.edge"),
            new Boundary(
                    module("actors").should().dependOnClassesThat(in("edge", "placement")),
                    "ActorsUseSiblings.edge",
                    "ActorsUseSiblings.placement"),
            new Boundary(
                    module("protocol").should().dependOnClassesThat(meridianBut("protocol")), "ProtocolUsesEngine"),
            new Boundary(
                    module("engine").should().dependOnClassesThat(meridianBut("engine", "protocol")), "EngineUsesEdge"),
            new Boundary(
                            // The template interpreter is there to check a chat template before it is written down.
                            module("builder")
                                    .should()
                                    .dependOnClassesThat(meridianBut("builder", "engine.bundle", "engine.template")),
                            "BuilderUsesRunner")
                    .except("BuilderUsesBundle"),
            new Boundary(
                    module("engine").should().dependOnClassesThat(resideInAPackage("org.apache.pekko..")),
                    "EngineUsesPekko"),
            new Boundary(
                    outside("engine.onnx").should().dependOnClassesThat(resideInAPackage("ai.onnxruntime..")),
                    "RuntimeOutsideItsPackage"),
            new Boundary(
                    noClasses()
                            .that(not(name("dev.meridian.engine.onnx.OnnxEnvironment$Made")))
                            .should()
                            .callMethodWhere(target(owner(name("ai.onnxruntime.OrtEnvironment")))
                                    .and(target(nameMatching("getEnvironment")))),
                    "EnvironmentWithTelemetry"),
            new Boundary(
                    noClasses()
                            .that(meridianBut("protocol.wire"))
                            .and(not(name("dev.meridian.edge.stream.ResidencyGate$Passage")))
                            .should()
                            .callConstructorWhere(
                                    target(owner(name("dev.meridian.protocol.message.ReplicaCommand$Submit")))),
                    "SubmitsPastTheGate"),
            new Boundary(
                    outside("edge").should().dependOnClassesThat(resideInAPackage("org.apache.pekko.http..")),
                    "HttpOutsideTheEdge"),
            new Boundary(
                            noClasses()
                                    .that(areNoSettings())
                                    .should()
                                    .dependOnClassesThat(resideInAPackage("com.typesafe.config..")),
                            "ReadsConfiguration")
                    .except("HarmlessSettings"),
            new Boundary(
                    outside("node", "bench").should().dependOnClassesThat(resideInAPackage("java.util.logging..")),
                    "LogsPastTheLog"),
            new Boundary(
                    outside("node", "bench")
                            .should()
                            .accessField(System.class, "out")
                            .orShould()
                            .accessField(System.class, "err"),
                    "PrintsToTheConsole"),
            new Boundary(classes().should(resideInANullMarkedPackage()), "InUnmarkedPackage")
                    .except("EdgeUsesSiblings"));

    @Test
    void allModulesWithClassesAreSeen() {
        assertThat(MAIN.stream().map(JavaClass::getPackageName))
                .contains("dev.meridian.protocol", "dev.meridian.engine.bundle", "dev.meridian.node")
                .noneMatch(name -> name.endsWith(".violation"));
    }

    @ParameterizedTest
    @FieldSource("BOUNDARIES")
    void holds(Boundary boundary) {
        boundary.rule().allowEmptyShould(true).check(MAIN);
    }

    @ParameterizedTest
    @FieldSource("BOUNDARIES")
    void bites(Boundary boundary) {
        List<String> report =
                boundary.rule().evaluate(VIOLATIONS).getFailureReport().getDetails();

        assertThat(boundary.broken()).allSatisfy(name -> assertThat(report).anyMatch(line -> line.contains(name)));
        if (!boundary.kept().isEmpty()) {
            assertThat(report).noneMatch(line -> line.contains(boundary.kept()));
        }
    }

    private static GivenClassesConjunction module(String name) {
        return noClasses().that(in(name));
    }

    private static GivenClassesConjunction outside(String... packages) {
        return noClasses().that(meridianBut(packages));
    }

    private static DescribedPredicate<JavaClass> in(String... packages) {
        return resideInAnyPackage(patterns(packages));
    }

    private static DescribedPredicate<JavaClass> meridianBut(String... packages) {
        return resideInAPackage("dev.meridian..").and(not(in(packages)));
    }

    private static String[] patterns(String... packages) {
        return List.of(packages).stream()
                .map(name -> "dev.meridian." + name + "..")
                .toArray(String[]::new);
    }

    /** {@code Node} is the composition root: it loads the configuration and hands it to the settings of each module. */
    private static DescribedPredicate<JavaClass> areNoSettings() {
        return DescribedPredicate.describe("are neither settings nor the composition root", type -> {
            JavaClass outermost = type;
            while (outermost.getEnclosingClass().isPresent()) {
                outermost = outermost.getEnclosingClass().get();
            }
            return !outermost.getSimpleName().endsWith("Settings")
                    && !outermost.getName().equals("dev.meridian.node.Node");
        });
    }

    private static ArchCondition<JavaClass> resideInANullMarkedPackage() {
        return new ArchCondition<>("reside in a package whose package-info says @NullMarked") {
            @Override
            public void check(JavaClass type, ConditionEvents events) {
                boolean marked = type.getPackage().isAnnotatedWith(NullMarked.class);
                events.add(new SimpleConditionEvent(
                        type, marked, type.getFullName() + " is in " + type.getPackageName() + ", not @NullMarked"));
            }
        };
    }
}
